"""One login at an LDAP directory, step by step, in a thread: everything here blocks."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPException

from vmpooler_api.authentication.base import Credentials, DirectoryUnavailable

_SUCCESS = 0
_NO_SUCH_OBJECT = 32
_SIZE_LIMIT_EXCEEDED = 4
_REFUSALS = frozenset({19, 32, 34, 48, 49, 50, 53})
"""Result codes of a bind that say no to this user: a constraint such as a locked account, no such entry, a
name that can't be one, an entry without a password, wrong password, no right to bind, unwilling. All others
say that the directory doesn't work."""


@dataclass(frozen=True, slots=True)
class ServiceLogin:
    """The account under which users are searched for."""

    dn: str
    password: str


@dataclass(frozen=True, slots=True)
class LdapOptions:
    """Where the directory is and where in it the users are. Times are seconds."""

    host: str
    port: int
    bases: tuple[str, ...]
    attributes: tuple[str, ...]
    tls: ssl.SSLContext | None
    """None: nothing is encrypted."""
    starts_tls: bool
    """The connection begins in plain text; otherwise it is encrypted from its start."""
    service: ServiceLogin | None
    """None: users bind directly, under a name made of attribute and base."""
    connect_timeout: float
    receive_timeout: float


class _CheckedTls(ldap3.Tls):
    """TLS as `ssl` makes it: ldap3 checks host names by a function that newer Pythons don't have."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__()
        self._context = context

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        """Encrypt the connection, and check the certificate against the host's name or address."""
        connection.socket = self._context.wrap_socket(
            connection.socket, server_hostname=connection.server.host, do_handshake_on_connect=do_handshake
        )


def escape(text: str) -> str:
    """Write a text so that it is only a value, in a DN as well as in a filter, whatever is in it."""
    return "".join(
        f"\\{byte:02x}" if not chr(byte).isalnum() or byte > 127 else chr(byte) for byte in text.encode()
    )


class LdapSession:
    """The steps of one login; none of them waits beyond `deadline` (by `time.monotonic`)."""

    def __init__(self, options: LdapOptions, *, deadline: float) -> None:
        self._options = options
        self._deadline = deadline

    def knows(self, credentials: Credentials) -> bool:
        """Try each base with each attribute, in order, until one fits. Raises DirectoryUnavailable."""
        try:
            names = self._found(credentials.user) if self._options.service else self._made(credentials.user)
            return any(self._binds(dn, credentials.password) for dn in names)
        except (LDAPException, OSError) as error:
            raise DirectoryUnavailable(f"{type(error).__name__}: {error}") from error

    def _made(self, user: str) -> Iterator[str]:
        for base in self._options.bases:
            for attribute in self._options.attributes:
                yield f"{attribute}={escape(user)},{base}"

    def _found(self, user: str) -> Iterator[str]:
        for base in self._options.bases:
            for attribute in self._options.attributes:
                dn = self._search(base, f"({attribute}={escape(user)})")
                if dn:
                    yield dn

    def _search(self, base: str, filter_text: str) -> str | None:
        """Give the name of the only entry that fits; two are as wrong as none."""
        service = self._options.service
        with self._connected(
            service.dn if service else "", service.password if service else ""
        ) as connection:
            if not connection.bind():
                raise DirectoryUnavailable(
                    f"the service account is refused: {connection.result['description']}"
                )
            self._limit(connection)
            connection.search(base, filter_text, dereference_aliases=ldap3.DEREF_NEVER, size_limit=2)
            if connection.result["result"] not in (_SUCCESS, _NO_SUCH_OBJECT, _SIZE_LIMIT_EXCEEDED):
                raise DirectoryUnavailable(f"the search failed: {connection.result['description']}")
            found = [entry["dn"] for entry in connection.response or () if entry["type"] == "searchResEntry"]
        return found[0] if len(found) == 1 and found[0] else None

    def _binds(self, dn: str, password: str) -> bool:
        with self._connected(dn, password) as connection:
            if connection.bind():
                return True
            if connection.result["result"] in _REFUSALS:
                return False
            raise DirectoryUnavailable(f"a bind failed: {connection.result['description']}")

    @contextmanager
    def _connected(self, dn: str, password: str) -> Iterator[ldap3.Connection]:
        """Open a connection, not bound yet; each name gets its own, so that none inherits rights."""
        options = self._options
        server = ldap3.Server(
            options.host,
            options.port,
            use_ssl=options.tls is not None and not options.starts_tls,
            tls=_CheckedTls(options.tls) if options.tls else None,
            get_info=ldap3.NONE,
            connect_timeout=self._at_most(options.connect_timeout),
        )
        connection = ldap3.Connection(
            server,
            dn,
            password,
            authentication=ldap3.SIMPLE,
            auto_referrals=False,
            check_names=False,
            auto_escape=False,
            read_only=True,
        )
        try:
            connection.open(read_server_info=False)
            self._limit(connection)
            if options.tls and options.starts_tls:
                connection.start_tls(read_server_info=False)
                self._limit(connection)
            yield connection
        finally:
            # Not by the library, which leaves a socket open that never got as far as a connection.
            if connection.socket is not None:
                connection.socket.close()

    def _limit(self, connection: ldap3.Connection) -> None:
        connection.socket.settimeout(self._at_most(self._options.receive_timeout))

    def _at_most(self, seconds: float) -> float:
        left = self._deadline - monotonic()
        if left <= 0:
            raise DirectoryUnavailable("the login took too long")
        return min(seconds, left)
