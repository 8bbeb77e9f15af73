"""The TSIG key, from the settings or from a file."""

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass, field
from pathlib import Path

import dns.name
import dns.tsig

from vmpooler_common.config.sections.dns import Rfc2136Section
from vmpooler_manager.dns.errors import DnsMisconfigured

_SECRET = re.compile(r'\bsecret\s*:?\s*"?([A-Za-z0-9+/=]+)"?')
"""As `tsig-keygen` (BIND) and `keymgr -t` (Knot) write it."""


@dataclass(frozen=True, slots=True)
class TsigKey:
    """A key that signs what is sent, and with which answers are checked; printing it shows no secret."""

    key: dns.tsig.Key = field(repr=False)

    @property
    def keyring(self) -> dict[dns.name.Name, dns.tsig.Key]:
        """The key in the form that dnspython wants."""
        return {self.key.name: self.key}


def read_key(settings: Rfc2136Section) -> TsigKey:
    """Give the key. Raises DnsMisconfigured, without showing any of it, when it can't be read."""
    if settings.key_secret is not None:
        text, where = settings.key_secret.get_secret_value(), "key_secret"
    elif settings.key_file is not None:
        text, where = _read_file(settings.key_file), f"key_file {settings.key_file}"
    else:
        raise DnsMisconfigured("updates have to be signed: key_secret or key_file is missing")
    try:
        secret = b64decode(text, validate=True)
        name = dns.name.from_text(settings.key_name or "")
    except (binascii.Error, ValueError):
        raise DnsMisconfigured(f"{where}: expected a key in base64") from None
    if not secret:
        raise DnsMisconfigured(f"{where}: it is empty")
    return TsigKey(dns.tsig.Key(name, secret, dns.name.from_text(settings.key_algorithm)))


def _read_file(path: str) -> str:
    try:
        text = Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DnsMisconfigured(f"key_file {path} can't be read: {type(error).__name__}") from None
    found = _SECRET.search(text)
    return found[1] if found else text
