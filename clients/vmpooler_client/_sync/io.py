"""What differs between asyncio and threads: waiting, and being stopped while an order is under way."""

import time
from typing import Protocol

import httpx

from vmpooler_client.calls import Answer, Call
from vmpooler_client.connection import http_options
from vmpooler_client.service import Service


class Sender(Protocol):
    """What sends calls."""

    def send(self, call: Call) -> Answer:
        """Send one and return its answer."""


def open_http(service: Service) -> httpx.Client:
    """Open connections to a service."""
    return httpx.Client(**http_options(service))


def sleep(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


class Flight:
    """A call whose answer is kept, should its caller be stopped with the answer in hand.

    An interruption in the middle, such as KeyboardInterrupt, cuts the connection.
    """

    def __init__(self, sender: Sender, call: Call) -> None:
        self._sender = sender
        self._call = call
        self._answer: Answer | None = None

    def answer(self) -> Answer:
        """Return the answer, or raise what `send` raises."""
        self._answer = self._sender.send(self._call)
        return self._answer

    def outcome(self, grace: float) -> Answer | None:
        """Return the answer; None: what the call did isn't known."""
        return self._answer
