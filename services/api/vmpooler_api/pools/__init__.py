"""Pools, as users with permission see and change them."""
