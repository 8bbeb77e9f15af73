"""What happened on some days."""

from collections.abc import AsyncGenerator
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Response

from vmpooler_api.summary.schemas import BootSummary, CloneSummary, Summary, TagSummary
from vmpooler_api.summary.writer import SummaryWriter, read_date
from vmpooler_api.web.router import Router
from vmpooler_api.web.schemas import AWAY, LATER, Answers, Refusal, RefusalWithMessage
from vmpooler_api.web.streaming import StreamedAnswer
from vmpooler_common.store.pools.statistics import MOST_DAYS, Statistic

_DAY: dict[str, Any] = {"format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}

From = Annotated[
    str | None,
    Query(
        alias="from",
        description="First day (UTC), YYYY-MM-DD; today without it.",
        examples=["2026-11-01"],
        json_schema_extra=_DAY,
    ),
]
To = Annotated[
    str | None,
    Query(
        alias="to",
        description=f"Last day; today without it. At most {MOST_DAYS} days; those to come are empty.",
        examples=["2026-11-30"],
        json_schema_extra=_DAY,
    ),
]
Which = Annotated[str, Path(description="boot, clone or tag.", examples=["boot"])]
Key = Annotated[str, Path(description="duration or count, or the name of a tag.", examples=["count"])]
ONE = BootSummary | CloneSummary | TagSummary
_UNKNOWN: Answers = {404: {"model": Refusal, "description": "There is no such statistic."}}


def router(writer: SummaryWriter) -> APIRouter:
    """Make the routes."""
    router = Router(
        prefix="/api/v3/summary",
        tags=["numbers"],
        responses={
            400: {"model": RefusalWithMessage, "description": "These days can't be told of."},
            429: {
                "model": RefusalWithMessage,
                "description": "Too many summaries are being written.",
                "headers": LATER,
            },
            503: AWAY,
        },
    )

    @router.get("", summary="Tell what happened on some days", response_model=Summary)
    async def summarise(start: From = None, end: To = None) -> Response:
        """Tell how many VMs were cloned and booted, how long that took, and what they were tagged with."""
        return _answer(writer.write(read_date(start), read_date(end)))

    @router.get("/{statistic}", summary="Tell of one statistic", response_model=ONE, responses=_UNKNOWN)
    async def summarise_one(statistic: Which, start: From = None, end: To = None) -> Response:
        """Tell only of boots, clones or tags."""
        return await _one(writer, statistic, read_date(start), read_date(end), only=None)

    @router.get(
        "/{statistic}/{key}",
        summary="Tell of one part of a statistic",
        response_model=ONE,
        responses=_UNKNOWN,
    )
    async def summarise_part(statistic: Which, key: Key, start: From = None, end: To = None) -> Response:
        """Tell only of the member of this name, or of one tag; nothing is told where there is none."""
        return await _one(writer, statistic, read_date(start), read_date(end), only=key)

    return router


async def _one(
    writer: SummaryWriter, name: str, start: date | None, end: date | None, *, only: str | None
) -> Response:
    if name not in list(Statistic):
        await writer.check(start, end)
        raise HTTPException(404)
    return _answer(writer.write_one(Statistic(name), start, end, only=only))


def _answer(pieces: AsyncGenerator[bytes]) -> Response:
    return StreamedAnswer(pieces, media_type="application/json")
