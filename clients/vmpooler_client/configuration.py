"""Which service to use: the environment, our own file, or the one of vmfloaty.

Our file is `$XDG_CONFIG_HOME/vmpooler/client.yaml` (`~/.config` without that variable), of mode 0600 for the
tokens in it:

    default: main
    services:
      main:
        url: https://vmpooler.example.com
        token: …
        user: alice
        ca: /etc/ssl/our-ca.pem

`~/.vmfloaty.yml` is read and never written; a service of our file hides one of the same name there.
"""

import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from vmpooler_client.errors import ConfigurationError
from vmpooler_client.service import Service

URL, TOKEN, CA = "VMPOOLER_URL", "VMPOOLER_TOKEN", "VMPOOLER_CA"
NAME, FILE = "VMPOOLER_SERVICE", "VMPOOLER_CLIENT_CONFIG"
_FLOATY_DEFAULT = "vmfloaty"
_OTHER_SERVICES = ("abs", "nonstandard", "nonstandard_pooler", "nspooler")
"""Types of services in vmfloaty's file that speak other languages."""


@dataclass(frozen=True, slots=True)
class Services:
    """All services that are configured."""

    by_name: Mapping[str, Service] = field(default_factory=dict)
    default: str | None = None
    skipped: tuple[str, ...] = ()
    """Services of vmfloaty's that aren't vmpooler."""


def own_file() -> Path:
    """Say where our file is."""
    if named := os.environ.get(FILE):
        return Path(named)
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "vmpooler" / "client.yaml"


def find_service(name: str | None = None) -> Service:
    """Find the service to use; raise ConfigurationError when there is none.

    A name is looked up in the files. Else VMPOOLER_URL is the service, else VMPOOLER_SERVICE names it, else
    it is the files' default or only one. VMPOOLER_TOKEN and VMPOOLER_CA beat what the files say.
    """
    url = os.environ.get(URL)
    named = name or os.environ.get(NAME)
    service = Service(url) if name is None and url else _choose(read_services(), named)
    if token := os.environ.get(TOKEN):
        service = replace(service, token=token)
    if ca := os.environ.get(CA):
        service = replace(service, ca=Path(ca))
    return service


def read_services() -> Services:
    """Read both files; raise ConfigurationError when one can't be understood."""
    floaty = _read_floaty(Path.home() / ".vmfloaty.yml")
    document = _load(own_file())
    own = {
        name: _service(name, keys, own_file())
        for name, keys in _section(document, "services", own_file()).items()
    }
    default = document.get("default")
    return Services(
        {**floaty.by_name, **own},
        default if isinstance(default, str) else next(iter(own), floaty.default),
        floaty.skipped,
    )


def write_service(service: Service, *, make_default: bool) -> Path:
    """Write a service down under its name, and return the file; the rest of it stays.

    The file is replaced as a whole and is readable by its owner only at every moment. Raises
    ConfigurationError when it can't be written.
    """
    path = own_file()
    document = _load(path)
    keys = {"url": service.url, "token": service.token, "user": service.user}
    keys["ca"] = None if service.ca is None else str(service.ca)
    services = {
        **_section(document, "services", path),
        service.name: {key: value for key, value in keys.items() if value is not None},
    }
    default = service.name if make_default else document.get("default", service.name)
    try:
        _replace(path, {**document, "default": default, "services": services})
    except OSError as error:
        raise ConfigurationError(f"{path} can't be written: {error.strerror}") from None
    return path


def _replace(path: Path, document: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".client-")  # of mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            yaml.safe_dump(dict(document), file, sort_keys=False)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def exposed_file() -> Path | None:
    """Give our file if others may read it, and the tokens in it."""
    path = own_file()
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    return path if mode & (stat.S_IRWXG | stat.S_IRWXO) else None


def _choose(services: Services, name: str | None) -> Service:
    name = name or services.default
    if name is None and len(services.by_name) == 1:
        name = next(iter(services.by_name))
    if name is None:
        raise ConfigurationError("no service is configured: `vmpooler login URL`, or set VMPOOLER_URL")
    if name in services.by_name:
        return services.by_name[name]
    if name in services.skipped:
        raise ConfigurationError(f"the service {name} of ~/.vmfloaty.yml isn't vmpooler")
    known = ", ".join(services.by_name) or "none"
    raise ConfigurationError(f"no service is called {name}; there are: {known}")


def _read_floaty(path: Path) -> Services:
    document = _load(path)
    common = {key: document[key] for key in ("url", "user", "token") if key in document}
    found: dict[str, Service] = {}
    skipped: list[str] = []
    if "url" in common and document.get("type") not in _OTHER_SERVICES:
        found[_FLOATY_DEFAULT] = _service(_FLOATY_DEFAULT, common, path)
    sections = _section(document, "services", path)
    for name, keys in sections.items():
        merged = {**common, **keys} if isinstance(keys, dict) else keys
        if isinstance(merged, dict) and merged.get("type") in _OTHER_SERVICES:
            skipped.append(name)
        else:
            found[name] = _service(name, merged, path)
    return Services(
        found, next(iter(name for name in found if name in sections), next(iter(found), None)), tuple(skipped)
    )


def _service(name: str, keys: object, path: Path) -> Service:
    if not isinstance(keys, dict) or not isinstance(keys.get("url"), str):
        raise ConfigurationError(f"{path}: the service {name} has no url")
    texts = {key: value for key, value in keys.items() if value is not None}
    if wrong := [key for key in ("token", "user", "ca") if not isinstance(texts.get(key, ""), str)]:
        raise ConfigurationError(f"{path}: the service {name} has a {wrong[0]} that is no text: quote it")
    ca = texts.get("ca")
    return Service(
        texts["url"],
        token=texts.get("token") or None,
        user=texts.get("user"),
        ca=None if ca is None else Path(ca).expanduser(),
        name=name,
    )


def _section(document: Mapping[str, Any], name: str, path: Path) -> Mapping[str, Any]:
    section = document.get(name) or {}
    if not isinstance(section, dict):
        raise ConfigurationError(f"{path}: `{name}` is no mapping of names")
    return section


def _load(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} can't be read: {error}") from None
    try:
        document = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path} holds no mapping")
    return document
