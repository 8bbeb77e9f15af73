"""What vmfloaty, the usual command line, sends, and what it makes of the answers."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import httpx

from tests.support.http import patient_client

_NOT_POOLS = ("request_id", "ready", "job_id", "message")
_HEADERS = {
    "User-Agent": "Faraday v1.0.1",
    "Accept": "*/*",
    "Accept-Encoding": "gzip;q=1.0,deflate;q=0.6,identity;q=0.3",
}
_AS_A_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
"""Its HTTP library calls every text so, also JSON."""


class PoolerError(Exception):
    """The service said no."""


class Vmfloaty:
    """A user's command line: `url` is the base that is configured, such as http://127.0.0.1:4567/api/v1."""

    def __init__(self, url: str, *, user: str, password: str, token: str | None) -> None:
        self._url = url
        self._login = (user, password)
        self._token = {"X-AUTH-TOKEN": token} if token else {}
        self._connection = patient_client(f"{url}/", headers=_HEADERS)

    async def aclose(self) -> None:
        await self._connection.aclose()

    async def list_pools(self) -> list[str]:
        """`floaty list`."""
        pools: list[str] = (await self._connection.get("vm")).json()
        return pools

    async def get(self, wanted: Mapping[str, int]) -> Mapping[str, list[str]]:
        """`floaty get debian=2 rocky`: host names by pool."""
        answer = await self._connection.post(f"vm/{_joined(wanted)}", headers=self._token)
        return _hostnames(_granted(answer))

    async def request(self, wanted: Mapping[str, int]) -> str:
        """`floaty get --ondemand`: the request's id."""
        answer = await self._connection.post(f"ondemandvm/{_joined(wanted)}", headers=self._token)
        return str(_granted(answer)["request_id"])

    async def look_at(self, request: str) -> Mapping[str, list[str]] | None:
        """See whether the VMs are there: None: not yet. Once they are, it asks once more, and shows that."""
        answer = await self._connection.get(f"ondemandvm/{request}")
        if answer.status_code == httpx.codes.ACCEPTED:
            return None
        if answer.status_code != httpx.codes.OK:
            raise PoolerError(answer.text)
        return _hostnames((await self._connection.get(f"ondemandvm/{request}")).json())

    async def query(self, hostname: str) -> Mapping[str, Any]:
        """`floaty query`: the line that is printed of a VM needs these members."""
        answer = (await self._connection.get(f"vm/{hostname}")).json()
        vm: Mapping[str, Any] = answer[hostname.partition(".")[0]]
        return vm

    async def modify(self, hostname: str, change: str) -> httpx.Response:
        """`floaty modify`: a text of JSON, called a form."""
        headers = self._token | _AS_A_FORM
        return await self._connection.put(f"vm/{hostname}", content=change, headers=headers)

    async def delete(self, *hostnames: str) -> dict[str, bool]:
        """`floaty delete`: whether each was given back."""
        answers = {
            name: await self._connection.delete(f"vm/{name}", headers=self._token) for name in hostnames
        }
        return {name: bool(answer.json()["ok"]) for name, answer in answers.items()}

    async def snapshot(self, hostname: str) -> str:
        """`floaty snapshot`: what the answer calls the snapshot."""
        answer = await self._connection.post(f"vm/{hostname}/snapshot", headers=self._token)
        return str(_granted(answer)[hostname]["snapshot"])

    async def revert(self, hostname: str, snapshot: str) -> bool:
        """`floaty revert`."""
        answer = await self._connection.post(f"vm/{hostname}/snapshot/{snapshot}", headers=self._token)
        return bool(answer.json()["ok"])

    async def status(self) -> tuple[str, Mapping[str, int]]:
        """`floaty status`: the message, and how many VMs each pool is missing."""
        answer = (await self._connection.get("status")).json()
        missing = {
            name: pool["max"] - pool["ready"] - pool["pending"] for name, pool in answer["pools"].items()
        }
        return answer["status"]["message"], missing

    async def summary(self) -> Mapping[str, Any]:
        """`floaty summary`."""
        answer: Mapping[str, Any] = (await self._connection.get("summary")).json()
        return answer

    async def make_token(self) -> str:
        """`floaty token get`."""
        answer = await self._connection.post("token", auth=self._login)
        return str(_granted(answer)["token"])

    async def list_active(self, token: str) -> list[str]:
        """`floaty list --active`: the VMs that were taken with this token."""
        answer = (await self._connection.get(f"token/{token}")).json()
        running: list[str] = answer[token]["vms"]["running"] if "vms" in answer[token] else []
        return running

    async def delete_token(self, token: str) -> bool:
        """`floaty token delete`."""
        return bool((await self._connection.delete(f"token/{token}", auth=self._login)).json()["ok"])


def _joined(wanted: Mapping[str, int]) -> str:
    return "+".join(Counter(wanted).elements())


def _granted(answer: httpx.Response) -> dict[str, Any]:
    content: dict[str, Any] = answer.json()
    if not content["ok"]:
        raise PoolerError(f"{answer.status_code}: {content}")
    return content


def _hostnames(content: dict[str, Any]) -> dict[str, list[str]]:
    """Take every member that it doesn't know for a pool; append the domain, if one is told, to each name."""
    content.pop("ok")
    domain = content.pop("domain", None)
    found: dict[str, list[str]] = {}
    for pool, value in content.items():
        if pool not in _NOT_POOLS:
            told = value["hostname"]
            names = told if isinstance(told, list) else [told]
            found[pool] = names if domain is None else [f"{name}.{domain}" for name in names]
    return found
