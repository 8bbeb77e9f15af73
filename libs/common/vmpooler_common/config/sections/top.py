"""Keys of the document's top level that are no section of known keys."""

import re
import warnings
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, Field

from vmpooler_common.config.declare.field import Section, Setting
from vmpooler_common.config.declare.types import SettingType, Wrong, as_text, flag


def _pattern(value: object) -> re.Pattern[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # doubtful, yet valid: Python may read it otherwise one day
            return re.compile(as_text(value))
    except (re.error, OverflowError, RecursionError):
        raise Wrong from None


PATTERN = SettingType(
    "regular expression", "a regular expression in Python's form, (?P<name>…) included", _pattern
)


class TopLevel(Section):
    """What stands beside the sections."""

    tagfilter: Annotated[
        Mapping[str, Annotated[re.Pattern[str], PATTERN]],
        AfterValidator(MappingProxyType),
        Setting(
            "Of a tag's value that matches, only the groups are kept, or what matches where there are none",
            in_effect=True,
            type_name="mapping of tag to regular expression",
        ),
    ] = Field(default_factory=lambda: MappingProxyType({}))
    rate_limiting_enabled: Annotated[
        bool, flag(), Setting("false turns rate limits off, whatever config says", in_effect=True)
    ] = True
