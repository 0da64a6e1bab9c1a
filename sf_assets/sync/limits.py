"""Sizes and times that several modules of the sync share."""

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


def pages(rows: int) -> int:
    """Return the pages of a result, at least one."""
    return max(1, -(-rows // PAGE_ROWS))
