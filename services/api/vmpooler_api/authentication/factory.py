"""Which directory the settings choose."""

from vmpooler_api.authentication.base import Directory
from vmpooler_api.authentication.dummy import DummyDirectory
from vmpooler_common.config import Settings
from vmpooler_common.config.sections.access import LdapSection


def choose_directory(settings: Settings) -> Directory | None:
    """Give the configured directory; None without authentication. Raises DirectoryMisconfigured."""
    if settings.auth is None:
        return None
    if settings.auth.provider == "dummy":
        return DummyDirectory()
    # Only now: whoever has no such directory doesn't load its library.
    from vmpooler_api.authentication.ldap import LdapDirectory, ldap_options

    return LdapDirectory(ldap_options(settings.auth.ldap or LdapSection()))
