"""Times as the org keeps and shows them: milliseconds since 1970 inside, `2026-01-02T03:04:05.000+0000` outside."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

Clock = Callable[[], datetime]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def wall_clock() -> datetime:
    """The real time: aware, UTC."""
    return datetime.now(UTC)


def stamp_text(moment: datetime) -> str:
    """A datetime as the wire shows it: UTC, whole seconds, `.000+0000`. A naive datetime is refused."""
    if moment.tzinfo is None:
        raise ValueError(f"a datetime without a zone: {moment!r}")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


@lru_cache(maxsize=65_536)  # rows come with few distinct stamps at a time, and each is read more than once
def milliseconds(text: str) -> int:
    """The wire's datetime, or a SOQL datetime literal, as milliseconds since 1970."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)


def as_moment(stamp: datetime | str) -> datetime:
    """A stamp given as a datetime or in any ISO form (changes from the side door come as text)."""
    moment = datetime.fromisoformat(stamp) if isinstance(stamp, str) else stamp
    if moment.tzinfo is None:
        raise ValueError(f"a stamp without a zone: {stamp!r}")
    return moment.astimezone(UTC)
