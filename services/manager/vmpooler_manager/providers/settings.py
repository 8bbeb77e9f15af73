"""Reading a provider's settings by the driver's declaration of them."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from vmpooler_common.config.sections.providers import CommonProvider
from vmpooler_manager.providers.errors import PermanentError

DriverSettings = TypeVar("DriverSettings", bound=CommonProvider)


def read_settings(
    model: type[DriverSettings], provider: str, configured: Mapping[str, Any]
) -> DriverSettings:
    """Read the settings of `provider`; a key without a value counts as absent, an unknown one is ignored.

    Raises PermanentError that lists every mistake with its key, what was expected and what was given.
    """
    given = {key: value for key, value in configured.items() if value is not None}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        mistakes = error.errors(include_url=False)
    # Raised here, without its cause: the cause's text may show a secret.
    raise PermanentError(f"settings of provider {provider!r}: {'; '.join(map(_describe, mistakes))}")


def _describe(mistake: ErrorDetails) -> str:
    key = ".".join(map(str, mistake["loc"]))
    may_be_shown = not mistake.get("ctx", {}).get("secret", True)
    given = f" (given: {mistake['input']!r})" if may_be_shown else ""
    return f"{key}: {mistake['msg']}{given}"
