"""Where the project's own files lie."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The directory of pyproject.toml and the Makefile."""
