"""What runs a manager: pools, jobs, clock, back-off, calls to providers."""
