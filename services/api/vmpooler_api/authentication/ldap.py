"""An LDAP directory, asked in threads of its own so that one that hangs holds up nothing else."""

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from vmpooler_api.authentication.base import (
    Credentials,
    DirectoryMisconfigured,
    DirectoryUnavailable,
    TooManyLogins,
)
from vmpooler_api.authentication.ldap_session import LdapOptions, LdapSession, ServiceLogin
from vmpooler_common.config.sections.access import Encryption, LdapSection
from vmpooler_common.outages import Outage

_AT_ONCE = 4
_WAITING = 32
"""Logins that may wait for a thread; more than these would not get one in time anyway."""
_VERSIONS = {"tlsv1_3": ssl.TLSVersion.TLSv1_3}
_PORT, _PORT_WITH_TLS = 389, 636


class LdapDirectory:
    """Knows the users of an LDAP directory."""

    def __init__(self, options: LdapOptions) -> None:
        self._options = options
        self._seconds = options.connect_timeout + options.receive_timeout
        self._executor = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="ldap")
        self._asked = 0
        self._outage = Outage("the directory of users", host=options.host)

    async def identify(self, credentials: Credentials) -> str | None:
        """Give the name of the entry that takes the password. Raises DirectoryUnavailable, TooManyLogins.

        Takes at most both time-outs together, the wait for a thread included.
        """
        try:
            user = await self._ask(credentials)
        except DirectoryUnavailable as error:
            self._outage.began(str(error))
            raise
        self._outage.ended()
        return user

    async def _ask(self, credentials: Credentials) -> str | None:
        if self._asked >= _AT_ONCE + _WAITING:
            raise TooManyLogins("too many logins at once")
        self._asked += 1
        session = LdapSession(self._options, deadline=monotonic() + self._seconds)
        try:
            async with asyncio.timeout(self._seconds):
                # A login that is given up while it waits for a thread never gets one; one that runs
                # ends by the deadline itself.
                return await asyncio.get_running_loop().run_in_executor(
                    self._executor, session.identify, credentials
                )
        except TimeoutError:
            if not session.has_begun:  # what the directory does shows in those that were served
                raise TooManyLogins("too many logins before this one") from None
            raise DirectoryUnavailable(f"no answer within {self._seconds:g} s") from None
        finally:
            self._asked -= 1

    def close(self) -> None:
        """Begin no further login; those that run end by their deadline."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def ldap_options(section: LdapSection) -> LdapOptions:
    """Give what the settings mean. Raises DirectoryMisconfigured when files of certificates can't be read."""
    encryption, account = section.encryption, section.service_account_hash
    service = None
    if account is not None and account.user_dn is not None and account.password is not None:
        service = ServiceLogin(account.user_dn, account.password.get_secret_value())
    return LdapOptions(
        host=section.host or "",
        port=section.port or (_PORT_WITH_TLS if encryption.method == "simple_tls" else _PORT),
        bases=section.base,
        attributes=section.user_object,
        identity=section.identity_attribute,
        tls=None if encryption.method == "none" else _tls_context(encryption),
        starts_tls=encryption.method == "start_tls",
        service=service,
        connect_timeout=section.connect_timeout.total_seconds(),
        receive_timeout=section.receive_timeout.total_seconds(),
    )


def _tls_context(encryption: Encryption) -> ssl.SSLContext:
    options = encryption.tls_options
    try:
        context = ssl.create_default_context(cafile=options.ca_file, capath=options.ca_path)
    except OSError as error:
        place = options.ca_file or options.ca_path
        raise DirectoryMisconfigured(f"auth.ldap.encryption.tls_options: {place}: {error}") from error
    context.minimum_version = _VERSIONS.get(options.ssl_version, ssl.TLSVersion.TLSv1_2)
    if not options.verifies:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
