"""Heartbeats, the share of pools, and which loop runs."""
