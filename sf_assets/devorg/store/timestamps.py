"""Times of the org: milliseconds since 1970 inside, `2026-01-02T03:04:05.000+0000` outside."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

Clock = Callable[[], datetime]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def wall_clock() -> datetime:
    """Return the real time: aware, UTC."""
    return datetime.now(UTC)


def stamp_text(moment: datetime) -> str:
    """Return a datetime in the API's form: UTC, whole seconds. Raises: ValueError without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"a datetime without a zone: {moment!r}")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


@lru_cache(maxsize=65_536)  # rows come with few distinct stamps at a time, and each is read more than once
def milliseconds(text: str) -> int:
    """Return a datetime of the API or of SOQL in milliseconds since 1970."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)


def as_moment(stamp: datetime | str) -> datetime:
    """Return a stamp, a datetime or any ISO text, as an aware datetime in UTC."""
    moment = datetime.fromisoformat(stamp) if isinstance(stamp, str) else stamp
    if moment.tzinfo is None:
        raise ValueError(f"a stamp without a zone: {stamp!r}")
    return moment.astimezone(UTC)
