"""Pools: observing them, their sizes and templates, their statistics."""
