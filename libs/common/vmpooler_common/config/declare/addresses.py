"""The types of settings that name a host, a network or a web server."""

import re
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from vmpooler_common.config.declare.types import SettingType, Wrong, as_text

_HOST = re.compile(r"(?=.{1,255}\Z)[\w-]+(\.[\w-]+)*\.?")
_A_HOST = "a host name or an address, such as stats.example.com or 10.0.0.7, without scheme, port and path"
_A_WEB_SERVER = (
    "a host such as graphs.example.com, maybe with a port, or a URL such as https://graphs.example.com"
)


def network() -> SettingType:
    """Make the type of IP networks; an address is a network of its own."""

    def read(value: object) -> IPv4Network | IPv6Network:
        try:
            return ip_network(as_text(value).strip(), strict=False)
        except ValueError:
            raise Wrong from None

    return SettingType("address", "an IP address such as 10.0.0.7, or a network such as 10.0.0.0/8", read)


def host_name() -> SettingType:
    """Make the type of hosts: a name or an address, without anything around it; brackets are taken off."""

    def read(value: object) -> str:
        result = as_text(value).strip()
        address = result[1:-1] if result.startswith("[") and result.endswith("]") else result
        if _is_ipv6(address):
            return address
        if _HOST.fullmatch(result):
            return result
        raise Wrong

    return SettingType("host", _A_HOST, read)


def web_server() -> SettingType:
    """Make the type of web servers: a host, maybe with a port, or a whole address with http or https."""

    def read(value: object) -> str:
        result = as_text(value).strip()
        address = result if "://" in result else f"http://{result}"
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError:
            raise Wrong from None
        if (
            parts.scheme not in {"http", "https"}
            or port == 0
            or not result.isprintable()
            or not (parts.hostname and (_HOST.fullmatch(parts.hostname) or _is_ipv6(parts.hostname)))
        ):
            raise Wrong
        return result

    return SettingType("host | URL", _A_WEB_SERVER, read)


def _is_ipv6(text: str) -> bool:
    try:
        return isinstance(ip_address(text), IPv6Address)
    except ValueError:
        return False
