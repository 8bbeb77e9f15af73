"""The table of all settings, made from their declarations: what `--print-settings` prints."""

import textwrap
from collections.abc import Mapping
from datetime import timedelta

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from vmpooler_common.config.declare.field import setting_of, type_of
from vmpooler_common.config.read.environment import GENERAL_VARIABLES
from vmpooler_common.config.sections.catalogue import SettingsGroup, settings_groups

WIDTH = 100
_INTRODUCTION = """\
Each setting with its type [unit], its default, its environment variable, and its meaning.
Strongest first: command line, environment, extra files (later ones beat earlier ones), document, default.
"not in effect yet": accepted, though the feature doesn't exist so far.
"""


def table_of_settings() -> str:
    """Return every setting, grouped, in lines of at most 100 characters."""
    parts = [textwrap.fill(line, WIDTH) for line in _INTRODUCTION.splitlines()]
    parts += ["", "VARIABLES that are no single setting's"]
    parts += [f"  {name:<38} {meaning}" for name, meaning in GENERAL_VARIABLES.items()]
    for group in settings_groups():
        parts += ["", f"{group.path or '(top level)'} - {group.title}"]
        for name, field in group.settings():
            parts += _rows(name, field, group)
    return "\n".join(parts)


def _rows(name: str, field: FieldInfo, group: SettingsGroup) -> list[str]:
    setting, declared = setting_of(field), type_of(field)
    unit = setting.unit or (declared.unit if declared else "")
    facts = [setting.type_name or (declared.name if declared else ""), f"[{unit}]" if unit else ""]
    described = [" ".join(filter(None, facts)), f"default {_default(field, unit)}", *setting.environment]
    if not setting.in_effect:
        described.append("not in effect yet")
    return [
        *textwrap.wrap(
            f"{name:<38} {'; '.join(described)}",
            WIDTH,
            initial_indent="  ",
            subsequent_indent=" " * 41,
            break_on_hyphens=False,
        ),
        *textwrap.wrap(setting.meaning, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6),
    ]


def _default(field: FieldInfo, unit: str) -> str:
    if words := setting_of(field).default:
        return words
    match field.default:
        case bool():
            return "true" if field.default else "false"
        case timedelta():
            return f"{field.default / timedelta(**{unit: 1}):g}"
        case float():
            return f"{field.default:g}"
        case None | "" | () | Mapping():
            return "none"
        case value if value is PydanticUndefined:  # an empty mapping
            return "none"
        case value:
            return str(value)
