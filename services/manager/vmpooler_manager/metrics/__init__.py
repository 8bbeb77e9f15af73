"""What the manager reports, by subsystem: one class each, one verb for each event."""

from vmpooler_manager.metrics.catalogues import CATALOGUES, ManagerMetrics

__all__ = ["CATALOGUES", "ManagerMetrics"]
