"""One exchange with the service, as values: what is asked, what came back, and what it means."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

import pydantic

from vmpooler_client.errors import (
    BadAnswerError,
    BadRequestError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    NotReadyError,
    NotSupportedError,
    RateLimitedError,
    RefusedError,
    UnauthorizedError,
    UnavailableError,
)
from vmpooler_client.words import printable

LONGEST_WAIT = 45.0
"""Seconds: a service's own limit of `?wait` where nobody has changed it."""
_SHOWN = 200

M = TypeVar("M", bound=pydantic.BaseModel)


class Repeat(Enum):
    """Whether a call may be sent again when its answer was lost."""

    SAFE = "it changes nothing, or the same once"
    KEYED = "by services that know Idempotency-Key"
    NEVER = "it would be done twice"


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked."""

    method: str
    path: str
    """Below the root, with what is not ours percent-encoded."""
    repeat: Repeat = Repeat.SAFE
    json: Any = None
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    login: tuple[str, str] | None = field(default=None, repr=False)
    wait: float = 0
    """Seconds for which the service is asked to wait before it answers."""
    at_most: float | None = None
    """Seconds for the answer, where that is less than the client's patience."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    is_repeated: bool = False
    """Whether an earlier try may have arrived, too."""

    def json(self) -> Any:
        """Give the content; raise BadAnswerError when it isn't JSON."""
        try:
            return json.loads(self.content)
        except ValueError:
            shown = printable(self.content[:_SHOWN].decode(errors="replace"))
            raise BadAnswerError(
                f"the answer (status {self.status}) is not vmpooler's: {shown or 'it is empty'}"
            ) from None

    def members(self) -> dict[str, Any]:
        """Give an object's members; raise BadAnswerError when the content is none."""
        content = self.json()
        if not isinstance(content, dict):
            raise BadAnswerError(f"the answer (status {self.status}) is no JSON object")
        return content

    def read(self, model: type[M], **more: Any) -> M:
        """Read the content, and `more` members that we know; raise BadAnswerError when it is none such."""
        return parse(model, {**self.members(), **more})

    @property
    def retry_after(self) -> float | None:
        """Seconds after which to try again, if the service says so."""
        try:
            return max(float(self.headers.get("retry-after", "")), 0.0)
        except ValueError:
            return None


def parse(model: type[M], content: Any) -> M:
    """Read a value; raise BadAnswerError when it isn't one."""
    try:
        return model.model_validate(content)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise BadAnswerError(
            f"the answer isn't vmpooler's: {printable(place) or 'it'}: {first['msg']}"
        ) from None


_BY_STATUS: Mapping[int, tuple[type[RefusedError], str]] = {
    400: (BadRequestError, "the request is wrong"),
    401: (UnauthorizedError, "a valid token is needed"),
    403: (ForbiddenError, "it belongs to another user, or is for admins"),
    404: (NotFoundError, "not known here"),
    405: (NotSupportedError, "the service isn't set up for this (config.experimental_features is off)"),
    409: (ConflictError, "something is in the way"),
    422: (BadRequestError, "the request is wrong"),
    429: (RateLimitedError, "too many requests"),
    503: (UnavailableError, "the service can't be used for now"),
}


def is_passing(answer: Answer) -> bool:
    """Tell whether the service, or a proxy before it, says that it can't serve for now."""
    return answer.status in (502, 504) or (answer.status == 503 and answer.retry_after is not None)


def refusal(answer: Answer, *, about: str = "") -> RefusedError | BadAnswerError | None:
    """Give the error that an answer stands for; None when it is none.

    `about` says what a 404, 401 or 403 without a reason was about.
    """
    if 200 <= answer.status < 300:
        return None
    if 300 <= answer.status < 400:
        place = printable(answer.headers.get("location", "elsewhere"))
        return BadAnswerError(f"the address leads to {place}: configure that one")
    if answer.status in (502, 504):
        return UnavailableError(
            f"a proxy answers {answer.status}: the service behind it can't be reached", status=answer.status
        )
    error, words = _BY_STATUS.get(answer.status, (RefusedError, f"the service answers {answer.status}"))
    members = _members_if_any(answer)
    if not members and answer.status not in (401, 429, 503):
        shown = printable(answer.content[:_SHOWN].decode(errors="replace"))
        return BadAnswerError(f"the answer (status {answer.status}) is not vmpooler's: {shown}")
    reason = _reason(members)
    if not reason:
        reason = f"{about}: {words}" if about else words
    return error(reason, status=answer.status, retry_after=answer.retry_after)


def checkout_refusal(answer: Answer, *, about: str) -> RefusedError | BadAnswerError | None:
    """Do the same for a checkout, whose 503 without `Retry-After` says that VMs are missing."""
    if answer.status == 503 and not is_passing(answer):
        reason = _reason(_members_if_any(answer))
        return NotReadyError(reason or f"{about}: not all of them are ready", status=503)
    return refusal(answer, about=about)


def _members_if_any(answer: Answer) -> Mapping[str, Any]:
    try:
        content = json.loads(answer.content)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


_LISTS = {
    "bad_templates": "not known, or of a wrong value",
    "not_configured": "not configured, or of a wrong size",
    "bad_pools": "not configured",
}


def _reason(members: Mapping[str, Any]) -> str:
    """Find the service's own words, in any of the forms that it has for them."""
    for name in ("message", "error"):
        if isinstance(text := members.get(name), str) and text:
            return printable(text)
    if isinstance(failures := members.get("failure"), list):
        return printable("; ".join(map(str, failures)))
    for name, words in _LISTS.items():
        if isinstance(names := members.get(name), list):
            return printable(f"{', '.join(map(str, dict.fromkeys(map(str, names))))}: {words}")
    return ""
