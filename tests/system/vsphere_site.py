"""A vmpooler of real processes whose VMs are in a vCenter simulator, reached over a wire that can be cut."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.documents import pooler_document
from tests.support.http import patient_client
from tests.support.installation import BRISK
from tests.support.redis_server import RedisServer
from tests.support.services import Service
from tests.vsphere.simulated import Simulator, in_thread, pool
from tests.vsphere.wire import Wire

TRIAL = {"VMPOOLER_DEBUG": "1"}
"""Has anybody log in."""
CREATE_GRACE = 3
"""Seconds; clones take none on the simulator."""


class VsphereSite:
    """Managers and one API; whoever makes one closes it."""

    def __init__(
        self, directory: Path, redis: RedisServer, prefix: str, *, vcenter: Simulator, wire: Wire
    ) -> None:
        self.vcenter, self.wire = vcenter, wire
        self._directory, self._redis, self._prefix = directory, redis, prefix
        self._services: list[Service] = []
        self._api: Service | None = None
        self._headers: dict[str, str] = {}

    def document(
        self,
        pools: Mapping[str, Mapping[str, Any]],
        *,
        config: Mapping[str, Any] | None = None,
        providers: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Describe pools of the provider `vc`, or another one of `providers`."""
        usual = {"provider": "vc", "dns_plugin": "test", "ready_check": "none", "size": 0}
        document = pooler_document(
            redis_url=self._redis.url,
            prefix=self._prefix,
            pools={},
            config={
                **BRISK,
                "vm_lifetime_auth": 24,
                "experimental_features": True,
                "pool_changes": "any",
                **(config or {}),
            },
        )
        own = {**self.vcenter.settings, "provider_class": "vsphere", "port": self.wire.port}
        own |= {"create_grace": CREATE_GRACE, "skip_dns_check_before_creating_vm": True}
        document["auth"] = {"provider": "dummy"}
        document["providers"] = {
            "vc": own,
            **{name: {**own, **keys} for name, keys in (providers or {}).items()},
        }
        document["pools"] = []
        for name, keys in pools.items():
            spec = pool(name, **{key: keys[key] for key in keys if key not in usual})
            document["pools"].append(
                {"name": name, "template": spec.template, **spec.options, **usual, **keys}
            )
        return document

    async def start_manager(self, document: Mapping[str, Any], *, wait: bool = True) -> Service:
        """Start one more manager."""
        label = f"manager-{len(self._services)}"
        manager = Service(
            "manager", directory=self._directory, document=document, label=label, environment=TRIAL
        )
        self._services.append(manager)
        if wait:
            await manager.start()
        else:
            manager.launch()
        return manager

    async def start_api(self, document: Mapping[str, Any]) -> None:
        """Start the API, and get a token."""
        self._api = Service("api", directory=self._directory, document=document, environment=TRIAL)
        self._services.append(self._api)
        await self._api.start()
        async with patient_client() as client:
            answer = await client.post(f"{self._api.base_url}/api/v3/token", auth=("alice", "any"))
        self._headers = {"X-AUTH-TOKEN": answer.json()["token"]}

    async def ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """Ask the API; give what it answers."""
        assert self._api is not None
        async with patient_client() as client:
            url = f"{self._api.base_url}/api/v3/{path}"
            answer = await client.request(method, url, headers=self._headers, **more)
        return dict(answer.json())

    async def pool(self, name: str) -> dict[str, Any]:
        """Show what status says of a pool."""
        return dict((await self.ask("GET", "status"))["pools"][name])

    async def take(self, name: str) -> str:
        """Check a VM out; give its name."""
        answer = await self.ask("POST", f"vm/{name}")
        assert answer["ok"], answer
        return str(answer[name]["hostname"]).partition(".")[0]

    async def names(self, pool: str) -> list[str]:
        """List the VMs in a pool's folder."""
        return await in_thread(self.vcenter.names_in, f"pooled/{pool}")  # type: ignore[no-any-return]

    async def machine(self, pool: str, name: str) -> Any:
        """Look a VM up in vCenter."""
        return await in_thread(self.vcenter.find, f"vm/pooled/{pool}/{name}")

    def close(self) -> None:
        """Kill every process."""
        for service in self._services:
            service.kill()
