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
_UNREADABLE = frozenset({_SUCCESS, 16, _NO_SUCH_OBJECT, 50})
"""Result codes of a search that say that nothing can be read: there is nothing, no such attribute, no such
entry, no right to it."""
_LONGEST_NAME = 256
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
    identity: str
    """Attribute whose only value is the user's name for us."""
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


@dataclass(frozen=True, slots=True)
class _Entry:
    dn: str
    names: tuple[str, ...] = ()
    """Values of the identity attribute, as far as they could be read."""


def _identity(names: tuple[str, ...], *, typed: str) -> str | None:
    """Give the only one of an entry's names; None when there are several, or it is none that can be shown.

    Where none could be read it is the typed one, in lower case, as a directory takes no notice of case.
    """
    if not names:
        return typed.lower()
    name = names[0].strip()
    is_fit = len(names) == 1 and 0 < len(name) <= _LONGEST_NAME and name.isprintable()
    return name if is_fit else None


class LdapSession:
    """The steps of one login; none of them waits beyond `deadline` (by `time.monotonic`)."""

    def __init__(self, options: LdapOptions, *, deadline: float) -> None:
        self._options = options
        self._deadline = deadline
        self.has_begun = False

    def identify(self, credentials: Credentials) -> str | None:
        """Give the name of the entry that takes the password, None for none. Raises DirectoryUnavailable.

        Each base is tried with each attribute, in order. A search ends at the first that finds anything: were
        others tried after a wrong password, whoever can set an attribute could log in under another's name.
        """
        self.has_begun = True
        user, password = credentials.user, credentials.password
        try:
            entries = self._found(user) if self._options.service else self._made(user)
            bound = (self._bind(entry, password) for entry in entries)
            entry = next((entry for entry in bound if entry is not None), None)
        except (LDAPException, OSError) as error:
            raise DirectoryUnavailable(f"{type(error).__name__}: {error}") from error
        return None if entry is None else _identity(entry.names, typed=user)

    def _made(self, user: str) -> Iterator[_Entry]:
        for base in self._options.bases:
            for attribute in self._options.attributes:
                yield _Entry(f"{attribute}={escape(user)},{base}")

    def _found(self, user: str) -> Iterator[_Entry]:
        for base in self._options.bases:
            for attribute in self._options.attributes:
                entries = self._search(base, f"({attribute}={escape(user)})")
                if entries:
                    # Two of one name are as wrong as none.
                    yield from entries if len(entries) == 1 else ()
                    return

    def _search(self, base: str, filter_text: str) -> list[_Entry]:
        """Give the entries that fit, at most two."""
        service = self._options.service
        with self._connected(
            service.dn if service else "", service.password if service else ""
        ) as connection:
            if not connection.bind():
                raise DirectoryUnavailable(
                    f"the service account is refused: {connection.result['description']}"
                )
            self._limit(connection)
            connection.search(
                base,
                filter_text,
                dereference_aliases=ldap3.DEREF_NEVER,
                size_limit=2,
                attributes=[self._options.identity],
            )
            if connection.result["result"] not in (_SUCCESS, _NO_SUCH_OBJECT, _SIZE_LIMIT_EXCEEDED):
                raise DirectoryUnavailable(f"the search failed: {connection.result['description']}")
            return self._entries(connection)

    def _bind(self, entry: _Entry, password: str) -> _Entry | None:
        """Give the entry, with the names that its user reads there; None when the password is refused."""
        with self._connected(entry.dn, password) as connection:
            if connection.bind():
                self._limit(connection)
                return _Entry(entry.dn, self._own_names(connection, entry.dn) or entry.names)
            if connection.result["result"] in _REFUSALS:
                return None
            raise DirectoryUnavailable(f"a bind failed: {connection.result['description']}")

    def _own_names(self, connection: ldap3.Connection, dn: str) -> tuple[str, ...]:
        connection.search(
            dn,
            "(objectClass=*)",
            search_scope=ldap3.BASE,
            dereference_aliases=ldap3.DEREF_NEVER,
            attributes=[self._options.identity],
        )
        if connection.result["result"] not in _UNREADABLE:
            # Not taken for unreadable: a user must not have another name while the directory is busy.
            raise DirectoryUnavailable(f"a name can't be read: {connection.result['description']}")
        return tuple(name for entry in self._entries(connection) for name in entry.names)

    def _entries(self, connection: ldap3.Connection) -> list[_Entry]:
        wanted = self._options.identity.lower()
        return [
            _Entry(
                entry["dn"],
                tuple(
                    value.decode(errors="surrogateescape")
                    for attribute, values in entry["raw_attributes"].items()
                    if attribute.lower().partition(";")[0] == wanted
                    for value in values
                ),
            )
            for entry in connection.response or ()
            if entry["type"] == "searchResEntry" and entry["dn"]
        ]

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
