"""The refusals that routes of every kind give, for the API's description."""

from typing import Any

from vmpooler_api.web.schemas import Away, Refusal

Answers = dict[int | str, dict[str, Any]]
"""Status -> answer."""

CHALLENGE = {"WWW-Authenticate": {"description": "Always Basic.", "schema": {"type": "string"}}}
"""Headers of every 401."""
LATER = {"Retry-After": {"description": "Seconds.", "schema": {"type": "string"}}}
"""Headers of a refusal that passes by itself."""

UNAUTHORIZED = {"model": Refusal, "description": "A valid token is needed.", "headers": CHALLENGE}
OTHERS_VM = {"model": Refusal, "description": "The VM was taken by another user."}
AWAY = {"model": Away, "description": "Redis can't be used for now.", "headers": LATER}
