"""What all models share."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator


class Model(BaseModel):
    """A frozen value. Members that it doesn't know are left out: services grow."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, content: Any) -> Any:
        """Take null for absent."""
        if not isinstance(content, dict):
            return content
        return {name: value for name, value in content.items() if value is not None}


def _moment(value: object) -> object:
    """Take the service's two ways to write a moment; `never` and an empty text are none."""
    if not isinstance(value, str):
        return value
    if value in ("", "never"):
        return None
    try:
        return datetime.strptime(value, "%Y-%m-%d %H:%M:%S %z")
    except ValueError:
        return value


Moment = Annotated[datetime | None, BeforeValidator(_moment)]
"""A point of time with its offset, or none."""


def _names(value: object) -> object:
    return [value] if isinstance(value, str) else value or ()


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
"""A list, or a text for one."""


class Holder(Model):
    """A checkout that waits, for which VMs are kept back. Admins are told of all, others of their own."""

    user: str | None = None
    """None for one without a token."""
    address: str | None = None
    """Where it was asked from."""
    vms: int
    since: Moment
