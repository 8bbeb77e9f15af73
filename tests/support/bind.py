"""A name server for tests: BIND with one zone, its reverse zones, and a TSIG key that may change them."""

import os
import signal
import subprocess
import time
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.reversename
import dns.tsig
import dns.update
import dns.zone

from tests.support.needs import needs_program
from tests.support.ports import free_port

ZONE, REVERSE, REVERSE_IPV6 = "lab.example", "2.0.192.in-addr.arpa", "8.b.d.0.1.0.0.2.ip6.arpa"
LOOPBACK = "127.in-addr.arpa"
KEY = "vmpooler-key"
START_SECONDS = 20.0
_SECRET = b"a secret of thirty-two bytes ..."
SECRET = b64encode(_SECRET).decode()
_CONFIGURATION = """
key "{key}" {{ algorithm hmac-sha256; secret "{secret}"; }};
options {{
  directory "{directory}";
  pid-file none;
  session-keyfile none;
  listen-on port {port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  recursion no;
  dnssec-validation no;
  notify no;
  allow-transfer {{ key "{key}"; }};
}};
controls {{ }};
"""
_ZONE = """
zone "{zone}" {{ type primary; file "{zone}.db"; allow-update {{ key "{key}"; }}; }};
"""
_RECORDS = """$TTL 60
@ SOA ns.lab.example. root.lab.example. 1 3600 600 86400 1
@ NS ns.lab.example.
"""
_ZONES = (ZONE, REVERSE, REVERSE_IPV6, LOOPBACK)


@dataclass
class Bind:
    """One server on a loopback port. Its data survives it."""

    directory: Path
    port: int = field(default_factory=free_port)
    _process: "subprocess.Popen[bytes] | None" = None

    def __post_init__(self) -> None:
        """Make its files, or skip the test."""
        self._program = needs_program("named", package="bind9")
        self.directory.mkdir(parents=True, exist_ok=True)
        text = _CONFIGURATION.format(key=KEY, secret=SECRET, directory=self.directory, port=self.port)
        text += "".join(_ZONE.format(zone=zone, key=KEY) for zone in _ZONES)
        (self.directory / "named.conf").write_text(text)
        for zone in _ZONES:
            glue = "ns A 127.0.0.1\n" if zone == ZONE else ""
            (self.directory / f"{zone}.db").write_text(_RECORDS + glue)

    def settings(self, **others: Any) -> dict[str, Any]:
        """Give an entry of `dns_configs` that keeps its records here."""
        return {
            "dns_class": "rfc2136",
            "domain": ZONE,
            "server": "127.0.0.1",
            "port": self.port,
            "reverse_zones": [REVERSE, REVERSE_IPV6],
            "key_name": KEY,
            "key_secret": SECRET,
            **others,
        }

    def start(self) -> None:
        """Start the server and return when it answers."""
        with (self.directory / "named.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-g", "-n", "1", "-c", str(self.directory / "named.conf")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={"PATH": os.environ["PATH"]},
            )
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                told = (self.directory / "named.log").read_text(errors="replace")
                self.kill()
                raise RuntimeError(f"named didn't start:\n{told}")
            time.sleep(0.02)

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

    def addresses_of(self, name: str) -> set[str]:
        """Ask for the addresses of a name."""
        return {
            record.address
            for kind in ("A", "AAAA")
            for answer in self._ask(name, kind).answer
            for record in answer
        }

    def names_of(self, address: str) -> set[str]:
        """Ask to which names an address leads."""
        reply = self._ask(dns.reversename.from_address(address).to_text(), "PTR")
        return {record.target.to_text(omit_final_dot=True) for answer in reply.answer for record in answer}

    def ttl_of(self, name: str) -> int:
        """Ask for how long others may keep a name's A record."""
        return int(self._ask(name, "A").answer[0].ttl)

    def names(self) -> set[str]:
        """List every name in the zone that has an address, but for the server's own."""
        zone = dns.zone.Zone(dns.name.from_text(ZONE), relativize=False)
        query, _ = dns.xfr.make_query(zone, keyring=self._keyring)
        dns.query.inbound_xfr("127.0.0.1", zone, query, port=self.port, lifetime=START_SECONDS)
        found = {name.to_text(omit_final_dot=True) for name, _ in zone.iterate_rdatasets(dns.rdatatype.A)}
        return found - {f"ns.{ZONE}"}

    def add(self, name: str, address: str = "192.0.2.99") -> None:
        """Have somebody else make an A record."""
        update = dns.update.UpdateMessage(ZONE)
        update.add(dns.name.from_text(name), 60, "A", address)
        self._change(update)

    def delete(self, name: str) -> None:
        """Have somebody else remove all records of a name."""
        update = dns.update.UpdateMessage(ZONE)
        update.delete(dns.name.from_text(name))
        self._change(update)

    @property
    def _keyring(self) -> dict[dns.name.Name, dns.tsig.Key]:
        name = dns.name.from_text(KEY)
        return {name: dns.tsig.Key(name, _SECRET, dns.tsig.HMAC_SHA256)}

    def _change(self, update: dns.update.UpdateMessage) -> None:
        update.use_tsig(self._keyring)
        reply = dns.query.tcp(update, "127.0.0.1", port=self.port, timeout=START_SECONDS)
        assert reply.rcode() is dns.rcode.NOERROR, reply

    def _ask(self, name: str, kind: str, *, seconds: float = START_SECONDS) -> dns.message.Message:
        query = dns.message.make_query(name, kind)
        return dns.query.tcp(query, "127.0.0.1", port=self.port, timeout=seconds)

    def _answers(self) -> bool:
        try:
            reply = self._ask(ZONE, "SOA", seconds=1)
        except (OSError, EOFError, dns.exception.DNSException):
            return False
        return reply.rcode() is dns.rcode.NOERROR

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
