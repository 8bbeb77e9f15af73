"""Ready VMs without a manager or a cloud: put into the store by the verbs that a manager uses."""

import asyncio
import secrets
from datetime import timedelta

from vmpooler_common.store.clones.clones import Reservation
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.store import Store

_AT_ONCE = 200
_NO_BOUND = 1_000_000
_LONG = timedelta(hours=1)


async def stock(store: Store, pool: str, *, vms: int) -> None:
    """Add so many ready VMs to the pool."""
    for begun in range(0, vms, _AT_ONCE):
        names = [
            (f"vm-{secrets.token_hex(5)}", secrets.token_hex(6)) for _ in range(min(_AT_ONCE, vms - begun))
        ]
        reservation = Reservation(
            pool=pool,
            provider="dummy",
            domain="example.test",
            size=_NO_BOUND,
            slot_limit=_NO_BOUND,
            request_slot_limit=_NO_BOUND,
            slot_life=_LONG,
        )
        await store.clones.reserve(
            reservation, names, operation=new_operation(), manager="benchmark", lease=_LONG
        )
        await asyncio.gather(
            *(
                store.clones.begin(name, operation=new_operation(), manager="benchmark", lease=_LONG)
                for name, _ in names
            )
        )
        await asyncio.gather(
            *(
                store.clones.created(
                    name, attempt, provider_id=f"id-{name}", ip="192.0.2.1", host="host", cloned=True
                )
                for name, attempt in names
            )
        )
        await asyncio.gather(
            *(store.clones.promote(name, attempt, operation=new_operation()) for name, attempt in names)
        )
