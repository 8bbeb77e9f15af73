"""Status, counts, health and readiness."""
