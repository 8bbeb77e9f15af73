"""A program that is a client of a dummy cloud in a file: something that tests can kill.

    python -m tests.providers.client_process '{"filename": …}' create COUNT
    python -m tests.providers.client_process '{"filename": …}' destroy ID
    python -m tests.providers.client_process '{"filename": …}' fail MESSAGE

The first argument holds the provider's settings. `create` prints the id of each VM as soon as the
provider has returned it. `fail` opens the provider and ends by an error, without closing it.
"""

import asyncio
import json
import sys
from typing import Any

from tests.providers.dummies import POOL, dummy
from vmpooler_manager.providers.contract import VmRef
from vmpooler_manager.providers.dummy.provider import DummyProvider
from vmpooler_manager.providers.testing import unmeasured
from vmpooler_manager.providers.testing.subject import new_tag


async def run(settings: dict[str, Any], verb: str, argument: str) -> None:
    """Do what the command line says."""
    if verb == "fail":
        provider = DummyProvider("dummy", settings, unmeasured())
        await provider.open()
        raise RuntimeError(argument, provider)
    async with dummy(**settings) as provider:
        if verb == "create":
            for _ in range(int(argument)):
                vm = await provider.create(POOL, new_tag(POOL))
                print(vm.provider_id, flush=True)
        else:
            await provider.destroy(POOL, VmRef(name="vm", attempt="", provider_id=argument))


if __name__ == "__main__":
    asyncio.run(run(json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]))
