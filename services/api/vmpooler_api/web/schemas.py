"""Answers without data of their own, and the refusals that many routes give, for the OpenAPI document."""

from typing import Any, Literal

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


Answers = dict[int | str, dict[str, Any]]
"""Status -> answer."""

CHALLENGE = {"WWW-Authenticate": {"description": "Always Basic.", "schema": {"type": "string"}}}
"""Headers of every 401."""
LATER = {"Retry-After": {"description": "Seconds.", "schema": {"type": "string"}}}
"""Headers of a refusal that passes by itself."""

UNAUTHORIZED = {"model": Refusal, "description": "A valid token is needed.", "headers": CHALLENGE}
OTHERS_VM = {"model": RefusalWithMessage, "description": "The VM was taken by another user."}
AWAY = {"model": Away, "description": "Redis can't be used for now.", "headers": LATER}


class Done(BaseModel):
    """It was done."""

    ok: Literal[True] = True
