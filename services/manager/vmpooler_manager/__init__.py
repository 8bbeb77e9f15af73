"""The service that keeps the pools filled and destroys what was returned."""
