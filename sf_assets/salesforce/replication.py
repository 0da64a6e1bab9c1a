"""`GET /sobjects/X/deleted`: the Ids of an object's rows that were deleted within a time.

Source: REST API guide, "sObject Get Deleted". The log covers 15 days, and less in an org that trims it. Times are
whole minutes.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import msgspec

from sf_assets.salesforce.wire import Flow, Request

LONGEST = timedelta(days=14)
"""The log goes back 15 days; a margin keeps the start inside of it."""
SHORTEST = timedelta(minutes=2)
"""The end must be more than one minute after the start."""


@dataclass(frozen=True)
class DeletedLog:
    """The Ids of the log, and the moment up to which it is complete, or None if unknown."""

    ids: frozenset[str]
    covered_until: datetime | None


class _Entry(msgspec.Struct):
    id: str


class _Answer(msgspec.Struct):
    deletedRecords: list[_Entry] = []
    latestDateCovered: str = ""


def deleted_log(sobject: str, *, since: datetime | None, until: datetime, version: str) -> Flow[DeletedLog]:
    """Return the rows that were deleted since a moment, at most 14 days back."""
    start = min(max(since or until - LONGEST, until - LONGEST), until - SHORTEST)
    span = f"start={quote(_minute(start))}&end={quote(_minute(until))}"
    path = f"/services/data/v{version}/sobjects/{sobject}/deleted/?{span}"
    response = yield Request(path, _Answer, "inventory", about=f"deleted rows of {sobject}")
    answer: _Answer = response.content
    covered_until = _moment(answer.latestDateCovered)
    ids = frozenset(entry.id for entry in answer.deletedRecords)
    return DeletedLog(ids, min(covered_until, until) if covered_until else None)


def _minute(moment: datetime) -> str:
    return moment.replace(second=0, microsecond=0).isoformat()


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC)
    except ValueError:
        return None
