"""Where a service is, and how it is spoken to."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from vmpooler_client.errors import ConfigurationError

_VERSIONS = ("/api/v1", "/api/v2", "/api/v3", "/api")


@dataclass(frozen=True, slots=True)
class Service:
    """One installation of vmpooler, as a client uses it."""

    url: str
    """Its root, without a slash at the end; one that ends in `/api/v3` or the like is cut."""
    token: str | None = field(default=None, repr=False)
    user: str | None = None
    """Who logs in for tokens."""
    ca: Path | None = None
    """Certificates to trust besides the system's."""
    name: str = ""
    """What its user calls it."""

    def __post_init__(self) -> None:
        """Check and shorten the address; raise ConfigurationError when it is none."""
        object.__setattr__(self, "url", _root(self.url))
        if self.token is not None and not (self.token.isascii() and self.token.isprintable()):
            raise ConfigurationError("the token has characters that no token has")


def _root(url: str) -> str:
    try:
        parts = urlsplit(url.strip() if "://" in url else f"https://{url.strip()}")
        _ = parts.port
    except ValueError as error:
        raise ConfigurationError(f"{url} is no address: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(f"{url} is no address such as https://vmpooler.example.com")
    if parts.username or parts.password:
        raise ConfigurationError("an address holds no name and password: log in for a token instead")
    path = parts.path.rstrip("/")
    for ending in _VERSIONS:
        if path.endswith(ending):
            path = path.removesuffix(ending)
            break
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))
