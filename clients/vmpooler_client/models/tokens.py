"""Tokens."""

from vmpooler_client.models.base import Model, Moment


class TokenEntry(Model):
    """One of a user's tokens."""

    token: str
    """Its first characters and `…`; all of it from a 3.x service."""
    created: Moment
    last: Moment = None
    """When it was last used; None: never."""


class Token(Model):
    """What is known of a token."""

    user: str
    created: Moment
    last: Moment = None
    running: tuple[str, ...] = ()
    """Short names of the VMs that were taken with it and run."""
