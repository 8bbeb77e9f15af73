"""Tokens: made, listed and deleted by users who log in."""
