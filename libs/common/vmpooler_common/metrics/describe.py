"""The table of all metrics, made from their declarations."""

from collections.abc import Iterable

from vmpooler_common.metrics.backends.prometheus import INSTANCE_LABEL
from vmpooler_common.metrics.declaration import Declaration


def declarations(catalogue: type) -> tuple[Declaration, ...]:
    """List what a catalogue declares, in the order of the class."""
    return tuple(value for value in vars(catalogue).values() if isinstance(value, Declaration))


def describe(catalogues: Iterable[type], *, prefix: str = "vmpooler") -> str:
    """Write one line for each metric: name, type, labels, dotted name, meaning (with fixed values)."""
    rows = [("NAME", "TYPE", "LABELS", "FOR STATSD AND GRAPHITE", "MEANING")]
    rows += sorted(
        (
            f"{prefix}_{declaration.name}",
            declaration.kind.value,
            _labels(declaration),
            declaration.dotted,
            _meaning(declaration),
        )
        for catalogue in catalogues
        for declaration in declarations(catalogue)
    )
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]))
        for row in rows
    )


def _labels(declaration: Declaration) -> str:
    instance = (INSTANCE_LABEL,) if declaration.carries_instance else ()
    return ", ".join((*instance, *declaration.label_names))


def _meaning(declaration: Declaration) -> str:
    fixed = [f" [{label.name}: {', '.join(label.values)}]" for label in declaration.labels if label.values]
    return declaration.help + "".join(fixed)
