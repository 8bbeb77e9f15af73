"""What is declared with each setting: its meaning, its environment variable, whether it works already.

A section is a frozen model whose fields look like this:

    task_limit: Annotated[int, whole(minimum=1), Setting("Clones at once", environment=("TASK_LIMIT",))] = 10
"""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from typing import get_args

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo

from vmpooler_common.config.declare.types import SettingType


class Section(BaseModel):
    """A mapping of known keys. Every field has a default, so that one mistake doesn't hide the next."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a field's type doesn't say."""

    meaning: str
    environment: tuple[str, ...] = ()
    """Variables that set it, the strongest first."""
    in_effect: bool = False
    """Whether the feature exists: turn it to True in the change that builds the feature."""
    unit: str = ""
    """What is counted; a duration's type knows it by itself."""
    default: str = ""
    """The default in words where it depends on other settings."""
    type_name: str = ""
    """The type in words where the field has no single type of setting."""


def setting_of(field: FieldInfo) -> Setting:
    """Return what is declared with the field."""
    return next(mark for mark in field.metadata if isinstance(mark, Setting))


def type_of(field: FieldInfo) -> SettingType | None:
    """Return the field's type of setting; None for lists, mappings and subsections."""
    return next((mark for mark in field.metadata if isinstance(mark, SettingType)), None)


def subsection_of(field: FieldInfo) -> type[Section] | None:
    """Return the model of the mapping that the field holds, if it is a subsection."""
    for candidate in (field.annotation, *get_args(field.annotation)):
        if isinstance(candidate, type) and issubclass(candidate, Section):
            return candidate
    return None


def walk(
    model: type[Section], path: str, *, defaults: Section | None = None
) -> Iterator[tuple[str, FieldInfo]]:
    """Yield every setting below `path` that isn't a subsection, with its dotted name.

    `defaults` is what the settings are when nothing is set, where that isn't what the model says.
    """
    for name, field in model.model_fields.items():
        below = f"{path}.{name}" if path else name
        nested = subsection_of(field)
        default = field.default if defaults is None else getattr(defaults, name)
        if nested is not None:
            yield from walk(nested, below, defaults=default if isinstance(default, Section) else None)
        elif defaults is None:
            yield below, field
        else:
            own = copy(field)
            own.default = default
            yield below, own
