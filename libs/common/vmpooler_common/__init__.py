"""What the API and the manager share: the model, the store, the configuration and the metrics."""

from importlib.metadata import version

__version__ = version("vmpooler")
