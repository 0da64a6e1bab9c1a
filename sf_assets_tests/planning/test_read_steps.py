"""What a piece of reading costs, against the reader of it: walks of every size by pages and by ranges, and queries."""

import polars as pl
import pytest

from sf_assets.planning.read_steps import ReadStep
from sf_assets.salesforce.limits import PAGE_ROWS
from sf_assets.sync.limits import LaneLimits
from sf_assets.sync.reader import Rows
from sf_assets.sync.strategies import read_by_id


class Counting:
    """An object of so many rows, whose Ids are numbers; counts the calls that reading it takes."""

    def __init__(self, rows: int) -> None:
        self.rows, self.calls, self.lanes = rows, 0, LaneLimits()

    def pages(self, *, where, order_by, limit, watch):
        after = int(where[0].split("'")[1]) if where else 0
        total = min(limit, self.rows - after)
        for first in range(0, max(total, 1), PAGE_ROWS):
            self.calls += 1
            ids = [f"{number:09}" for number in range(after + first + 1, after + min(first + PAGE_ROWS, total) + 1)]
            yield Rows(pl.DataFrame({"id": ids}, schema={"id": pl.String}), total)


@pytest.mark.parametrize(
    "rows", [0, 1, 1_999, 2_000, 2_001, 6_000, 49_999, 50_000, 50_001, 52_000, 99_999, 100_000, 120_000]
)
def test_a_walk_costs_what_its_reading_takes(rows):
    counting = Counting(rows)
    list(read_by_id(counting, after=None))

    assert ReadStep("ids", (), rows).calls == counting.calls


@pytest.mark.parametrize(("rows", "calls"), [(None, 1), (0, 1), (1, 1), (2_000, 1), (2_001, 2), (10_000, 5)])
def test_a_query_costs_a_call_for_each_page(rows, calls):
    assert ReadStep("query", (), rows).calls == calls
