"""The metrics that both services have."""
