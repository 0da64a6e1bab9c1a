"""When a table is compared with its org, and by which of three methods. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sf_assets.sync.limits import DAY, pages
from sf_assets.sync.report import ComparisonLimits
from sf_assets.sync.state import State

How = Literal["rows", "values", "counts"]


@dataclass(frozen=True)
class Method:
    """One way to compare.

    rows: read every row in full. values: read Id, IsDeleted, SystemModstamp and `columns` of every row. counts: count
    live rows by ranges of Ids, and read the Ids of the ranges that differ.
    """

    how: How
    columns: tuple[str, ...] = ()


def is_comparison_due(state: State, now: datetime) -> bool:
    """Return whether the daily comparison is due, for a table that is read completely."""
    position, compared_at = state.position, state.times.reconciled_at
    if position.walk or position.resume or position.tail_from is None:
        return False
    return is_day_over(compared_at, now)


def is_day_over(compared_at: datetime | None, now: datetime) -> bool:
    """Return whether the last comparison is a day old, or there was none."""
    return compared_at is None or now - compared_at >= DAY


def without_comparison(state: State) -> State:
    """Return the state as if the table had never been compared."""
    return replace(state, times=replace(state.times, reconciled_at=None))


def choose_method(
    state: State, now: datetime, *, rows: int, refreshed: tuple[str, ...], limits: ComparisonLimits
) -> Method:
    """Return the method for a table of this size. `refreshed`: columns that change without a stamp."""
    cost = pages(rows)
    if cost <= limits.rows_pages:
        return Method("rows")
    if refreshed and cost <= limits.calculated_calls:
        return Method("values", refreshed)
    last = state.times.ids_compared_at
    if cost <= limits.ids_pages and (last is None or now - last >= limits.ids_every):
        return Method("values")
    return Method("counts")


COUNTS_CALLS = 5
"""Calls of a comparison by counts without a difference: four for 20 ranges, one for the deleted log."""


def quiet_calls(rows: int, *, refreshed: bool, limits: ComparisonLimits) -> int:
    """Return the calls of a daily comparison that finds no difference."""
    cost = pages(rows)
    if cost <= limits.rows_pages or (refreshed and cost <= limits.calculated_calls):
        return cost
    return COUNTS_CALLS
