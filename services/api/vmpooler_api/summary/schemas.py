"""How summaries look, for the OpenAPI document; the answers themselves are written in `summaries`."""

from pydantic import BaseModel, Field

_AVERAGE = Field(description="Seconds, to one decimal.")


class PoolDuration(BaseModel):
    """Durations of one pool, in seconds."""

    total: float
    average: float
    min: float
    max: float


class Count(BaseModel):
    """How many."""

    total: int


class DayDuration(BaseModel):
    """Durations of one day in seconds; all 0 when there were none."""

    average: float = _AVERAGE
    min: float
    max: float
    total: float
    pool: dict[str, PoolDuration] = Field({}, description="Absent on a day without any.")


class DayCount(BaseModel):
    """How many there were on one day."""

    total: int
    pool: dict[str, Count] = Field({}, description="Absent on a day without any.")


class DayFigures(BaseModel):
    """Boots or clones of one day; with a key only the member of that name."""

    duration: DayDuration | None = None
    count: DayCount | None = None


class TotalDuration(BaseModel):
    """Durations of all days, in seconds; all 0 when there were none."""

    average: float = _AVERAGE
    min: float
    max: float
    total: float
    pool: dict[str, PoolDuration] = Field(description="The averages of pools aren't rounded.")


class TotalCount(BaseModel):
    """How many there were, and what came on one day on average, at least and at most."""

    average: float = Field(description="Of a day, to one decimal.")
    min: int
    max: int
    total: int
    pool: dict[str, Count]


class TotalFigures(BaseModel):
    """Boots or clones of all days; with a key only the member of that name."""

    duration: TotalDuration | None = None
    count: TotalCount | None = None


Tags = dict[str, dict[str, int]]
"""VMs by tag and value; beside the values `total`, their sum."""


class Day(BaseModel):
    """One day (UTC)."""

    date: str = Field(description="YYYY-MM-DD.")
    boot: DayFigures
    clone: DayFigures
    tag: Tags


class Summary(BaseModel):
    """All statistics of some days."""

    daily: list[Day]
    boot: TotalFigures
    clone: TotalFigures
    tag: Tags


class BootDay(BaseModel):
    """Boots of one day."""

    date: str
    boot: DayFigures


class BootSummary(BaseModel):
    """How long VMs took from their reservation until they were ready."""

    boot: TotalFigures
    daily: list[BootDay]


class CloneDay(BaseModel):
    """Clones of one day."""

    date: str
    clone: DayFigures


class CloneSummary(BaseModel):
    """How long the provider took to make VMs."""

    clone: TotalFigures
    daily: list[CloneDay]


class TagDay(BaseModel):
    """Tags of one day."""

    date: str
    tag: Tags


class TagSummary(BaseModel):
    """How many VMs were given which tags."""

    tag: Tags
    daily: list[TagDay]
