"""Refusals of checkouts, on-demand requests and VM routes: they say why, in words that no client reads."""

from typing import Any

import httpx


def refusal_of(answer: httpx.Response) -> tuple[int, dict[str, Any]]:
    """Give status and body of a refusal without its `message`, which must be a sentence."""
    content = answer.json()
    message = content.pop("message")
    assert isinstance(message, str)
    assert message
    return answer.status_code, content
