"""What a directory of users is."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a user logs in with; neither part is empty."""

    user: str
    """Printable, at most 256 characters."""
    password: str = field(repr=False)


class WrongCredentials(Exception):  # noqa: N818 - an answer, not a fault
    """Name and password are missing, can't be read, or aren't those of a user."""


class DirectoryUnavailable(Exception):  # noqa: N818 - a state, not a fault of the caller
    """Whether the password is right can't be known for now. The text holds no secrets."""


class TooManyLogins(Exception):  # noqa: N818 - a state, not a fault of the directory
    """So many logins wait already that this one would not be served in time."""


class DirectoryMisconfigured(Exception):  # noqa: N818 - a fact about the settings
    """The directory can't be used with these settings; the text says which."""


class Directory(Protocol):
    """Knows users and their passwords."""

    async def identify(self, credentials: Credentials) -> str | None:
        """Give the one name of the user with this password, however it was typed; None for nobody.

        Answers within bounded time, whatever state the directory is in, and holds up nobody else meanwhile.
        Raises DirectoryUnavailable, TooManyLogins.
        """
        ...

    def close(self) -> None:
        """Begin no further login."""
        ...
