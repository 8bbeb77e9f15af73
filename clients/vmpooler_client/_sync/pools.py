"""Pools: how full they are, and changing them."""

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

from vmpooler_client._sync.transport import Transport
from vmpooler_client.calls import Answer, Call, parse
from vmpooler_client.errors import BadAnswerError, NotFoundError, NotSupportedError
from vmpooler_client.models.pools import PoolConfiguration, PoolExplanation, Status

_ALL_VIEWS = ("boot", "capacity", "clone", "health", "pools", "queue")

_CHANGED = 201


class Pools:
    """Lists pools, shows how they are, and changes them; changes need an admin's token where there are users.

    What is set counts in place of the configuration until it is taken back.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def names(self) -> list[str]:
        """List the pools, without aliases."""
        content = (self._transport.ask(Call("GET", "/api/v3/vm"))).json()
        if not isinstance(content, list) or not all(isinstance(name, str) for name in content):
            raise BadAnswerError("the answer is no list of pools")
        return content

    def status(self, views: Collection[str] = _ALL_VIEWS) -> Status:
        """Show how the service and its pools are: `boot`, `capacity`, `health` and so on."""
        call = Call("GET", "/api/v3/status", params={"view": ",".join(views)})
        return (self._transport.ask(call)).read(Status)

    def running(self) -> int:
        """Count the VMs that users have."""
        found = (self._transport.ask(Call("GET", "/api/v3/totalrunning"))).members().get("running")
        if not isinstance(found, int):
            raise BadAnswerError("the answer is no number of VMs")
        return found

    def configuration(self) -> list[PoolConfiguration]:
        """Show what counts for each pool."""
        members = (self._transport.ask(Call("GET", "/api/v3/config"))).members()
        pools = members.get("pool_configuration")
        if not isinstance(pools, list):
            raise BadAnswerError("the answer is no configuration")
        return [parse(PoolConfiguration, pool) for pool in pools]

    def set_sizes(self, sizes: Mapping[str, int]) -> bool:
        """Set how many ready VMs pools keep; tell whether anything changed."""
        return self._set("config/poolsize", sizes)

    def reset_size(self, pool: str) -> bool:
        """Go back to the configured size; tell whether anything changed."""
        return self._take_back("poolsize", pool)

    def set_templates(self, templates: Mapping[str, str]) -> bool:
        """Set templates; VMs that nobody has are replaced."""
        return self._set("config/pooltemplate", templates)

    def reset_template(self, pool: str) -> bool:
        """Go back to the configured template."""
        return self._take_back("pooltemplate", pool)

    def set_clone_targets(self, targets: Mapping[str, str]) -> bool:
        """Set where VMs are made; VMs that nobody has are replaced."""
        return self._set("config/clonetarget", targets)

    def reset_clone_target(self, pool: str) -> bool:
        """Go back to the configured clone target; NotSupportedError from a 3.x service."""
        call = Call("DELETE", f"/api/v3/config/clonetarget/{quote(pool, safe='')}")
        return (self._of_ours(call, pool)).status == _CHANGED

    def replace_vms(self, pools: Collection[str]) -> None:
        """Replace all VMs of pools that nobody has."""
        self._set("poolreset", dict.fromkeys(pools, 1))

    def explain(self, pool: str) -> PoolExplanation:
        """Tell why a pool has the VMs that it has; NotSupportedError from a 3.x service."""
        return (self._of_ours(Call("GET", self._path(pool, "explain")), pool)).read(PoolExplanation)

    def pause(self, pool: str, reason: str) -> bool:
        """Make no VM of a pool and hand none out; tell whether that is new. A 3.x service can't."""
        call = Call("POST", self._path(pool, "pause"), json={"reason": reason})
        return (self._of_ours(call, pool)).status == _CHANGED

    def resume(self, pool: str) -> bool:
        """Let a paused pool work again; tell whether it was paused."""
        return (self._of_ours(Call("DELETE", self._path(pool, "pause")), pool)).status == _CHANGED

    def resume_deletion(self, provider: str) -> int:
        """Destroy VMs again at a provider where a safety limit has paused that.

        Returns how many VMs are released from the limit.
        """
        call = Call("POST", f"/api/v3/provider/{quote(provider, safe='')}/resume-deletion")
        released = (self._of_ours(call, provider)).members().get("released")
        if not isinstance(released, int):
            raise BadAnswerError("the answer is no number of VMs")
        return released

    @staticmethod
    def _path(pool: str, what: str) -> str:
        return f"/api/v3/pool/{quote(pool, safe='')}/{what}"

    def _of_ours(self, call: Call, about: str) -> Answer:
        """Ask what a 3.x service hasn't."""
        try:
            return self._transport.ask(call, about=about)
        except NotFoundError:
            if self._transport.keeps_keys():
                raise
            raise NotSupportedError("this service can't do that: it is vmpooler 3.x", status=404) from None

    def _set(self, what: str, values: Mapping[str, Any]) -> bool:
        call = Call("POST", f"/api/v3/{what}", json=dict(values))
        return (self._transport.ask(call, about=", ".join(values))).status == _CHANGED

    def _take_back(self, what: str, pool: str) -> bool:
        call = Call("DELETE", f"/api/v3/config/{what}/{quote(pool, safe='')}")
        return (self._transport.ask(call, about=pool)).status == _CHANGED
