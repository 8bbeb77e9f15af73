"""Every decision about a pool, as pure functions."""
