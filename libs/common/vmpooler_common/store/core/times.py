"""Times as the store keeps them, integer milliseconds since the epoch, and as the code uses them."""

from datetime import UTC, datetime, timedelta


def from_ms(text: str | int) -> datetime:
    """Give the aware UTC datetime of a stored time."""
    return datetime.fromtimestamp(int(text) / 1000, UTC)


def from_ms_or_none(text: str | int | None) -> datetime | None:
    """Like `from_ms`; None for a time that isn't there."""
    return from_ms(text) if text else None


def to_ms(value: datetime) -> int:
    """Give the stored form of an aware datetime."""
    return round(value.timestamp() * 1000)


def duration_ms(value: timedelta) -> int:
    """Give a duration in whole milliseconds."""
    return round(value.total_seconds() * 1000)
