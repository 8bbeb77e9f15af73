"""A directory for trials: it knows everybody."""

from vmpooler_api.authentication.base import Credentials


class DummyDirectory:
    """Takes every password but the user's own name, so that a refusal can be tried, too."""

    async def knows(self, credentials: Credentials) -> bool:
        """Tell whether name and password differ."""
        return credentials.user != credentials.password

    def close(self) -> None:
        """Do nothing: there is nothing to end."""
