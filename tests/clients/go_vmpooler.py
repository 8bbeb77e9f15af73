"""What go-vmpooler, a library for v1 only, sends, and the types that it takes for granted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.support.http import patient_client

_HEADERS = {"User-Agent": "Go-http-client/1.1", "Accept-Encoding": "gzip"}


class UnexpectedAnswerError(Exception):
    """The library ends with an error, or its program with a panic."""


@dataclass(frozen=True)
class GoVm:
    """One VM."""

    hostname: str
    fqdn: str
    ip: str
    state: str
    running: float
    lifetime: float
    template: tuple[str, str, str]
    """Operating system, its version, architecture."""
    tags: Mapping[str, str] | None


class GoVmpooler:
    """A program that uses the library with a token."""

    def __init__(self, url: str, *, token: str) -> None:
        self._token = token
        self._connection = patient_client(url, headers={**_HEADERS, "X-AUTH-TOKEN": token})
        del self._connection.headers["Accept"]

    async def aclose(self) -> None:
        await self._connection.aclose()

    async def list_templates(self) -> list[str]:
        """All pools."""
        templates: list[str] = await self._sent("GET", "/vm")
        return templates

    async def create(self, template: str) -> GoVm:
        """Take a VM and look at it under exactly the name that was told."""
        taken = _fine(await self._sent("POST", f"/vm/{template}"))
        return await self.get(_text(taken[template]["hostname"]))

    async def get(self, hostname: str) -> GoVm:
        """Look at a VM."""
        answer = _fine(await self._sent("GET", f"/vm/{hostname}"))
        if hostname not in answer:
            raise UnexpectedAnswerError(f"no member {hostname}")
        vm = answer[hostname]
        system, version, architecture = _text(vm["template"]).split("-", 2)
        tags = {name: _text(value) for name, value in vm["tags"].items()} if "tags" in vm else None
        return GoVm(
            hostname=hostname,
            fqdn=f"{hostname}.{_text(vm['domain'])}",
            ip=_text(vm["ip"]),
            state=_text(vm["state"]),
            running=_number(vm["running"]),
            lifetime=_number(vm["lifetime"]),
            template=(system, version, architecture),
            tags=tags,
        )

    async def get_all(self) -> list[GoVm]:
        """Look at all VMs of the token; what it reads of the token are two times and the names."""
        token = _fine(await self._sent("GET", f"/token/{self._token}"))[self._token]
        for name in ("created", "last"):
            if name in token:
                _time(token[name])
        return [await self.get(hostname) for hostname in token.get("vms", {}).get("running", [])]

    async def set_lifetime(self, hostname: str, hours: int) -> GoVm:
        """Change how long the VM may run. The body has no type."""
        _fine(await self._sent("PUT", f"/vm/{hostname}", b'{"lifetime":%d}' % hours))
        return await self.get(hostname)

    async def set_tags(self, hostname: str, tags: bytes) -> GoVm:
        """Tag the VM; `tags` is an object in JSON."""
        _fine(await self._sent("PUT", f"/vm/{hostname}", b'{"tags":%b}' % tags))
        return await self.get(hostname)

    async def delete(self, hostname: str) -> None:
        """Give the VM back."""
        _fine(await self._sent("DELETE", f"/vm/{hostname}"))

    async def _sent(self, method: str, path: str, body: bytes | None = None) -> Any:
        answer = await self._connection.request(method, path, content=body)
        if not answer.is_success:
            raise UnexpectedAnswerError(f"{answer.status_code}: {answer.text}")
        return answer.json()


def _fine(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict) or answer.get("ok") is not True:
        raise UnexpectedAnswerError(str(answer))
    return answer


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise UnexpectedAnswerError(f"{value!r} is no text")
    return value


def _time(value: Any) -> datetime:
    return datetime.strptime(_text(value), "%Y-%m-%d %H:%M:%S %z")


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnexpectedAnswerError(f"{value!r} is no number")
    return float(value)
