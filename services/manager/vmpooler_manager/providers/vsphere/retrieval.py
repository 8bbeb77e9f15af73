"""Reading properties of many objects by one call. Never by attribute: that is a hidden call for each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyVmomi import vim, vmodl

from vmpooler_manager.providers.errors import PermanentError

_PC = vmodl.query.PropertyCollector
PAGE = 500
"""Objects in one answer."""


@dataclass(slots=True)
class Found:
    """One object and what was read of it; a property without a value isn't there."""

    ref: Any
    properties: dict[str, Any] = field(default_factory=dict)


def refused(missing: Sequence[Any], ref: Any) -> None:
    """Raise PermanentError when properties couldn't be read for lack of privileges."""
    for one in missing or ():
        if isinstance(one.fault.fault if hasattr(one.fault, "fault") else one.fault, vim.fault.NoPermission):
            raise PermanentError(
                f"the user may not read {one.path} of {ref._GetMoId()}: it needs System.Read"
            )


def property_specs(wanted: Mapping[type, Sequence[str]]) -> list[Any]:
    """Say which properties of which types are read."""
    return [_PC.PropertySpec(type=kind, pathSet=list(paths), all=False) for kind, paths in wanted.items()]


def of_objects(refs: Iterable[Any], wanted: Mapping[type, Sequence[str]]) -> Any:
    """Select these objects themselves."""
    return _PC.FilterSpec(
        objectSet=[_PC.ObjectSpec(obj=ref) for ref in refs],
        propSet=property_specs(wanted),
        reportMissingObjectsInResults=False,
    )


def beside(ref: Any, kind: type, path: str, wanted: Mapping[type, Sequence[str]]) -> Any:
    """Select the objects that the property `path` of `ref`, one of `kind`, leads to."""
    step = _PC.TraversalSpec(name="step", type=kind, path=path, skip=False)
    start = _PC.ObjectSpec(obj=ref, skip=True, selectSet=[step])
    return _PC.FilterSpec(objectSet=[start], propSet=property_specs(wanted))


def below(folder: Any, wanted: Mapping[type, Sequence[str]]) -> Any:
    """Select everything below a folder, however deep."""
    step = _PC.TraversalSpec(
        name="deeper",
        type=vim.Folder,
        path="childEntity",
        skip=False,
        selectSet=[_PC.SelectionSpec(name="deeper")],
    )
    start = _PC.ObjectSpec(obj=folder, skip=True, selectSet=[step])
    return _PC.FilterSpec(objectSet=[start], propSet=property_specs(wanted))


def _has_ended(content: Any) -> bool:
    """Whether nobody is logged in any more: a session that was ended lost all privileges with it."""
    return content.sessionManager.currentSession is None


def retrieve(content: Any, spec: Any) -> list[Found]:
    """Read all that `spec` selects, page by page. Raises PermanentError when something may not be read."""
    collector, found = content.propertyCollector, []
    answer = collector.RetrievePropertiesEx([spec], _PC.RetrieveOptions(maxObjects=PAGE))
    while answer is not None:
        for one in answer.objects:
            try:
                refused(one.missingSet, one.obj)
            except PermanentError:
                if _has_ended(content):
                    raise vim.fault.NotAuthenticated from None
                raise
            found.append(Found(one.obj, {change.name: change.val for change in one.propSet}))
        answer = collector.ContinueRetrievePropertiesEx(answer.token) if answer.token else None
    return found
