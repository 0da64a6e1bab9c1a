"""`/deleted` and `/updated`: the Ids of an object's rows that were deleted or changed within a time.

Sources: REST API guide, "sObject Get Deleted" and "sObject Get Updated"; SOAP API guide, "getDeleted()": 15 and 30
days, 600,000 Ids, times without seconds, `end` more than a minute after `start`, and what `latestDateCovered` and
`earliestDateAvailable` mean. The texts of INVALID_REPLICATION_DATE are from memory, except the one of an org that is
younger than `start` (jsforce/jsforce#406); "is not replicable" is from MinnPost/object-sync-for-salesforce#109.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from sf_assets.devorg.api.messages import Request, Response
from sf_assets.devorg.api_errors import Refusal
from sf_assets.devorg.org.org import Org
from sf_assets.devorg.store.table import Table
from sf_assets.devorg.store.timestamps import EPOCH, as_moment, stamp_text

DELETED_DAYS = 15
LONGEST_DAYS = 30
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Span:
    """The time that a call names, in whole minutes, both ends included."""

    start: datetime
    end: datetime

    def bounds(self) -> tuple[int, int]:
        return _milliseconds(self.start), _milliseconds(self.end)


def deleted_response(org: Org, request: Request, table: Table) -> Response:
    """Return the rows that were deleted within the time and that the user may see."""
    span, now = _span(org, request, table), org.now()
    log = org.delete_log(table.schema.name)
    earliest = max(now - timedelta(days=DELETED_DAYS), EPOCH + timedelta(milliseconds=log.trimmed_until))
    _check_log(org, span, earliest, log.trimmed_until)
    start, end = span.bounds()
    entries = log.between(max(start, _milliseconds(earliest)), end)
    visible = [(key, at) for key, at in entries if key not in table.hidden_keys]
    _check_count(org, len(visible))
    body = {
        "deletedRecords": [{"deletedDate": _text(at), "id": key[:18]} for key, at in visible],
        "earliestDateAvailable": stamp_text(_minute(earliest)),
        "latestDateCovered": _latest_covered(org, span),
    }
    return Response(200, msgspec.json.encode(body))


def updated_response(org: Org, request: Request, table: Table) -> Response:
    """Return the rows with a SystemModstamp within the time, without deleted ones."""
    span = _span(org, request, table)
    start, end = span.bounds()
    keys = [
        key
        for _, key in table.by_stamp.between((start, ""), (end + 1, ""))
        if key not in table.hidden_keys and key not in table.deleted_keys
    ]
    _check_count(org, len(keys))
    body = {"ids": [key[:18] for key in keys], "latestDateCovered": _latest_covered(org, span)}
    return Response(200, msgspec.json.encode(body))


def _span(org: Org, request: Request, table: Table) -> Span:
    if not table.schema.replicateable:
        raise Refusal(400, "INVALID_TYPE_FOR_OPERATION", f"sObject type {table.schema.name} is not replicable")
    span = Span(_minute(_moment(request, "start")), _minute(_moment(request, "end")))
    if span.end - span.start < MINUTE:
        raise _invalid_date("endDate must be at least one minute greater than the startDate")
    if span.start < org.now() - timedelta(days=LONGEST_DAYS):
        raise _invalid_date(f"startDate cannot be more than {LONGEST_DAYS} days ago")
    if span.start < _created_at(org):
        raise _invalid_date("startDate before org replication enabled date")
    return span


def _created_at(org: Org) -> datetime:
    """Return when the org was created, as its Organization row says."""
    table = org.tables.get("Organization")
    rows = [] if table is None else [table.record(key) for key in table.by_id.between()]
    return max((as_moment(row["CreatedDate"]) for row in rows if row.get("CreatedDate")), default=EPOCH)


def _moment(request: Request, name: str) -> datetime:
    if name not in request.parameters:
        raise Refusal(400, "MISSING_ARGUMENT", f"Missing required parameter: {name}")
    try:
        return as_moment(request.parameters[name])
    except ValueError:
        raise Refusal(400, "INVALID_ARGUMENT", f"{request.parameters[name]} is not a valid {name} date") from None


def _check_log(org: Org, span: Span, earliest: datetime, trimmed_until: int) -> None:
    """Raise INVALID_REPLICATION_DATE if the log was trimmed after the requested time.

    By choice also if it was trimmed within the time. The client must read the object again.
    """
    too_long_response = org.behaviour.trimmed_log == "refused" and _milliseconds(span.start) <= trimmed_until
    if too_long_response or (trimmed_until and earliest > span.end):
        raise _invalid_date(f"the delete log begins at {stamp_text(earliest)}")


def _check_count(org: Org, count: int) -> None:
    if count > org.behaviour.replication_ids:
        raise Refusal(400, "EXCEEDED_ID_LIMIT", f"Too many Ids: {count}. Choose dates that are closer together.")


def _invalid_date(message: str) -> Refusal:
    return Refusal(400, "INVALID_REPLICATION_DATE", message)


def _latest_covered(org: Org, span: Span) -> str:
    """Return the end, or the start of the oldest transaction that still runs."""
    oldest = org.now() - timedelta(seconds=org.behaviour.oldest_transaction_seconds)
    return stamp_text(_minute(min(span.end, oldest)))


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _text(at: int) -> str:
    return stamp_text(EPOCH + timedelta(milliseconds=at))
