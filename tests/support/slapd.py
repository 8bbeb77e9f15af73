"""A real OpenLDAP server of a test's own, to stop, pause and start again, with a few users."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme

from tests.support.needs import needs_program
from tests.support.ports import free_port

START_SECONDS = 20.0
PEOPLE, GUESTS = "ou=people,dc=lab", "ou=all guests,dc=lab"
SERVICE = ("cn=finder,dc=lab", "finding")
"""Name and password of the account that may search. Users may read their own entry, but for bob."""


@dataclass(frozen=True, slots=True)
class Person:
    """One entry. `uid` and `cn` as they are, without escapes; `also` is one more uid."""

    base: str
    uid: str
    cn: str
    password: str
    also: str = ""


PERSONS = (
    Person(PEOPLE, "alice", "Alice Ahearn", "wonder land: yes"),
    Person(PEOPLE, "bob", "bob b", "bob's"),
    Person(PEOPLE, "zoë", "zoe", "pässwörd"),
    Person(PEOPLE, "star * (one), two=2", "star", "twinkle"),
    Person(PEOPLE, "twin", "twin 1", "first"),
    Person(GUESTS, "twin", "twin 2", "second"),
    Person(GUESTS, "carol", "carla", "guest"),
    Person(PEOPLE, "dave", "same", "daves"),
    Person(PEOPLE, "erin", "same", "erins"),
    Person(PEOPLE, "same", "sam", "sams"),
    Person(PEOPLE, "root", "Ruth Root", "roots"),
    Person(PEOPLE, "mallory", "root", "mallorys"),
    Person(PEOPLE, "many", "many", "manys", also="root2"),
)
"""Two are called twin, in different bases; two share a cn in one base, which is a third one's uid; mallory
has set the cn to an admin's name."""

_CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {directory}/slapd.pid
TLSCertificateFile {directory}/certificate.pem
TLSCertificateKeyFile {directory}/key.pem
{options}
database ldif
suffix "dc=lab"
rootdn "cn=root,dc=lab"
directory {directory}/data
access to attrs=userPassword by anonymous auth by * none
access to dn.exact="uid=bob,{people}" by dn.exact="{finder}" read by * none
access to * by self read by dn.exact="{finder}" read by * none
"""


class Slapd:
    """One server on two loopback ports, with and without TLS from the start. Its data and log survive it."""

    def __init__(self, directory: Path, *, options: Sequence[str] = ()) -> None:
        """Make its files, or skip the test. `options` are lines of its configuration."""
        self._program = needs_program("slapd", package="slapd")
        self._tool = needs_program("slapadd", package="slapd")
        self.port, self.tls_port = free_port(), free_port()
        self.directory = directory
        self.log = directory / "slapd.log"
        self.ca_file = directory / "authority.pem"
        (directory / "data").mkdir(parents=True)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca_file))
        certificate = authority.issue_cert("127.0.0.1")
        certificate.cert_chain_pems[0].write_to_path(str(directory / "certificate.pem"))
        certificate.private_key_pem.write_to_path(str(directory / "key.pem"))
        self._configuration = directory / "slapd.conf"
        self._configuration.write_text(
            _CONFIGURATION.format(
                directory=directory, options="\n".join(options), finder=SERVICE[0], people=PEOPLE
            )
        )
        subprocess.run(
            [self._tool, "-f", self._configuration],
            input=_entries(),
            text=True,
            check=True,
            capture_output=True,
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and return when it accepts connections."""
        addresses = f"ldap://127.0.0.1:{self.port}/ ldaps://127.0.0.1:{self.tls_port}/"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-f", self._configuration, "-h", addresses, "-d", "stats"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={"PATH": os.environ["PATH"]},
            )
        end = time.monotonic() + START_SECONDS
        while not self._accepts():
            if self._process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise RuntimeError(f"slapd didn't start:\n{self.log.read_text(errors='replace')}")
            time.sleep(0.01)

    def kill(self) -> None:
        """End the server at once; no effect when it doesn't run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Freeze the server: connections are accepted by the kernel, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        self._signal(signal.SIGCONT)

    def binds(self) -> list[str]:
        """Give the names under which was bound or tried to, in order, as the server writes them."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [
            line.split('dn="')[1].split('"')[0] for line in lines if " BIND dn=" in line and "method=" in line
        ]

    def filters(self) -> list[tuple[str, str]]:
        """Give the searches in order: base and filter."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [
            (line.split('base="')[1].split('"')[0], line.split('filter="')[1].rsplit('"', 1)[0])
            for line in lines
            if " SRCH base=" in line
        ]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            raise RuntimeError("slapd doesn't run")
        self._process.send_signal(number)

    def _accepts(self) -> bool:
        try:
            for port in (self.port, self.tls_port):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True


def _entries() -> str:
    blocks = [
        "dn: dc=lab\nobjectClass: dcObject\nobjectClass: organization\ndc: lab\no: lab",
        *(
            f"dn: {base}\nobjectClass: organizationalUnit\nou: {base[3:].split(',')[0]}"
            for base in (PEOPLE, GUESTS)
        ),
        f"dn: {SERVICE[0]}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: finder\n"
        f"userPassword: {SERVICE[1]}",
        *map(_person, PERSONS),
    ]
    return "\n\n".join(blocks) + "\n"


def _person(person: Person) -> str:
    # By hand and not by the code under test: a backslash before what has a meaning in a name.
    name = "".join(f"\\{sign}" if sign in ',=+<>#;"\\' else sign for sign in person.uid)
    return (
        f"dn: uid={name},{person.base}\nobjectClass: inetOrgPerson\nuid: {person.uid}\ncn: {person.cn}\n"
        f"sn: {person.uid}\nuserPassword: {person.password}"
        + (f"\nuid: {person.also}" if person.also else "")
    )
