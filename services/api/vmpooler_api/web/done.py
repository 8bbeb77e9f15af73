"""The answer to what leaves nothing to tell."""

from typing import Literal

from pydantic import BaseModel


class Done(BaseModel):
    """It was done."""

    ok: Literal[True] = True
