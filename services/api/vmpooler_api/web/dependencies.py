"""What routes may ask for, as annotations."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Path, Request

from vmpooler_api.background.store_health import StoreHealth
from vmpooler_api.dashboard.graph_server import GraphServer
from vmpooler_api.ondemand.service import OnDemandService
from vmpooler_api.ondemand.waiting import RequestWaiters
from vmpooler_api.pools.service import PoolService
from vmpooler_api.summary.writer import SummaryWriter
from vmpooler_api.vms.service import ChangeService
from vmpooler_api.vms.tasks import TaskService
from vmpooler_api.web.parameters import LONGEST, PATTERN
from vmpooler_common.config import Settings
from vmpooler_common.store.store import Store


@dataclass(frozen=True, slots=True)
class Parts:
    """What the app is made of, as far as its routes need it; kept as `app.state.parts`."""

    settings: Settings
    store: Store
    watch: StoreHealth
    provisioning: OnDemandService
    changing: ChangeService
    task_orders: TaskService
    pool_changing: PoolService
    waiting_room: RequestWaiters
    stop_waiting: Callable[[], None]
    """Answers all clients that wait; called when the service is about to stop."""
    summaries: SummaryWriter
    graph_server: GraphServer | None
    started_at: float
    """Time of the start by `time.monotonic`."""


async def parts_of(request: Request) -> Parts:
    """Give the parts of the app that answers."""
    parts: Parts = request.app.state.parts
    return parts


async def token_given(
    token: Annotated[
        str | None,
        Header(
            alias="X-AUTH-TOKEN", description="A token; it may be needed when authentication is configured."
        ),
    ] = None,
) -> str | None:
    """Give the token; an empty one is none."""
    return token or None


TheParts = Annotated[Parts, Depends(parts_of)]
TheHostName = Annotated[
    str,
    Path(
        description="Host name, with or without a domain.",
        json_schema_extra={"pattern": f"^{PATTERN}$", "maxLength": LONGEST},
    ),
]
TheToken = Annotated[str | None, Depends(token_given)]
