"""Sizes and times that several modules of the sync share."""

from dataclasses import dataclass
from datetime import timedelta

from sf_assets.salesforce.limits import PAGE_ROWS

SMALL_OBJECT_ROWS = 50_000
"""Up to this size (25 pages) an object is read with the safest method, although it costs a little more."""
LOOKBACK = timedelta(minutes=20)
"""A transaction commits at most this long after its stamp (the age of the oldest open transaction)."""
DEEP_LOOKBACK = timedelta(hours=36)
"""The daily deep tail looks this far back, for rows that were committed even later."""
DAY = timedelta(hours=24)
"""How often the daily work of an endpoint is due."""
TRIES = 3
"""How often a result that stays short, or that comes in another order, is read."""
SMALLEST_RANGE_ROWS = 200
"""No query is narrowed below this LIMIT after QUERY_TIMEOUT."""


@dataclass(frozen=True)
class LaneLimits:
    """How an object is read in lanes (`lanes.py`).

    Objects of fewer than `least_rows` rows are read by one query after another. A lane's queries have the LIMIT
    `page_rows`, at most `most` of them are in flight, and a lane gets at most `window_pages` at a time.
    `held_rows`: a result of more rows, from an org that ignores LIMIT or order, is taken in parts.
    """

    least_rows: int = 4 * PAGE_ROWS
    page_rows: int = PAGE_ROWS
    most: int = 24
    window_pages: int = 25
    held_rows: int = SMALL_OBJECT_ROWS


@dataclass(frozen=True)
class BulkLimits:
    """How an object is read by a Bulk query job (`bulk.py`).

    `least_rows`: the mode `auto` reads smaller objects by REST. `page_rows`: the most rows of a page, where the org's
    own pages are too large. At most `downloads` pages are in flight, and no more than `pending_bytes`.
    A job that does not end within `job_seconds` is aborted; it is asked for after pauses from `first_pause` to
    `longest_pause` seconds.
    """

    least_rows: int = 250_000
    page_rows: int = 50_000
    downloads: int = 3
    pending_bytes: int = 96 * 2**20
    job_seconds: float = 7_200.0
    first_pause: float = 2.0
    longest_pause: float = 60.0


def pages(rows: int) -> int:
    """Return the pages of a result, at least one."""
    return max(1, -(-rows // PAGE_ROWS))
