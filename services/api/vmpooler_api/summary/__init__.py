"""Statistics by day."""
