"""How refusals look, for the OpenAPI document; the answers themselves are made in `error_answers`."""

from typing import Literal

from pydantic import BaseModel


class Refusal(BaseModel):
    """An answer without a reason."""

    ok: Literal[False]


class RefusalWithReason(Refusal):
    """An answer that says what is wrong with the request."""

    error: str


class RefusalWithFailures(Refusal):
    """An answer that says all that is wrong with a change, in the order of the request."""

    failure: list[str]


class RefusalWithMessage(Refusal):
    """An answer that says why it is no, and what to do."""

    message: str


class Away(Refusal):
    """The answer while Redis can't be used."""

    message: str
