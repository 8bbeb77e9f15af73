"""Metrics: typed catalogues, and the backends that they are sent to."""
