"""What the API reports, by subsystem: one class each, one verb for each event."""

from vmpooler_api.metrics.catalogues import CATALOGUES, ApiMetrics

__all__ = ["CATALOGUES", "ApiMetrics"]
