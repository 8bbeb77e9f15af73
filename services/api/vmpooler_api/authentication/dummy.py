"""A directory for trials: it knows everybody."""

from vmpooler_api.authentication.base import Credentials


class DummyDirectory:
    """Takes every password but the user's own name, so that a refusal can be tried, too."""

    async def identify(self, credentials: Credentials) -> str | None:
        """Give the name as it was typed if name and password differ."""
        return credentials.user if credentials.user != credentials.password else None

    def close(self) -> None:
        """Do nothing: there is nothing to end."""
