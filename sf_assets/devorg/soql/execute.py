"""The rows of a bound statement, in order: by an index where possible, else by reading every row."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sf_assets.devorg.soql.bind import Plan
from sf_assets.devorg.soql.index_range import Range, range_of, resume_point
from sf_assets.devorg.soql.literals import sort_value
from sf_assets.devorg.soql.syntax import And, Compare, Condition, Order, Value
from sf_assets.devorg.store.ids import eighteen
from sf_assets.devorg.store.row_codec import NULL
from sf_assets.devorg.store.table import AFTER_REPEATS, STAMP, Table
from sf_assets.devorg.store.timestamps import milliseconds

StampKey = tuple[int, str]
OrderTerms = tuple[tuple[str, bool], ...]
ID_ORDERS: frozenset[OrderTerms] = frozenset({(), (("id", False),)})
STAMP_ORDERS: frozenset[OrderTerms] = frozenset(
    {(("systemmodstamp", False),), (("systemmodstamp", False), ("id", False)), (("systemmodstamp", True),)}
)


@dataclass(frozen=True)
class AccessPath:
    """Keys of rows, and whether all of them are known to fulfil the condition."""

    keys: Iterable[str]
    exact: bool


def read_id(value: Value) -> str:
    return eighteen(value.text)


def read_stamp(value: Value) -> int:
    return milliseconds(value.text)


def id_bounds(interval: Range) -> tuple[str | None, str | None]:
    """Return half-open bounds of keys; a key with a repeat suffix belongs to its Id."""
    low, high = interval.low, interval.high
    below = None if low.value is None else low.value + ("" if low.inside else AFTER_REPEATS)
    above = None if high.value is None else high.value + (AFTER_REPEATS if high.inside else "")
    return below, above


def stamp_bounds(interval: Range) -> tuple[StampKey | None, StampKey | None]:
    """Return half-open bounds of (milliseconds, key)."""
    low, high = interval.low, interval.high
    below = None if low.value is None else (low.value + (not low.inside), "")
    above = None if high.value is None else (high.value + high.inside, "")
    return below, above


def select_keys(plan: Plan, table: Table, *, all_rows: bool) -> list[str]:
    """Return the keys of the rows in order, after OFFSET and LIMIT.

    Without ORDER BY rows come by Id.
    """
    select = plan.select
    order_terms = tuple((order.name.lower(), order.descending) for order in select.order_by)
    keys = _filtered(plan, table, path=_access_path(plan.where, table, order_terms), all_rows=all_rows)
    if order_terms not in ID_ORDERS and order_terms not in STAMP_ORDERS:
        keys = iter(_sorted(list(keys), table, select.order_by))
    stop = None if select.limit is None else select.offset + select.limit
    return list(islice(keys, select.offset, stop))


def matching_keys(plan: Plan, table: Table, *, all_rows: bool) -> Iterator[str]:
    """Yield the keys of all rows of the condition, for aggregates."""
    return _filtered(plan, table, path=_access_path(plan.where, table, ()), all_rows=all_rows)


def excluded_keys(plan: Plan, table: Table, *, all_rows: bool) -> Mapping[str, int]:
    """Return the stamps of rows that a query does not show.

    These are deleted rows, and for /query archived ones.
    """
    if not all_rows:
        return table.deleted_keys
    return table.bin_keys if plan.live_only else {}


def _filtered(plan: Plan, table: Table, *, path: AccessPath, all_rows: bool) -> Iterator[str]:
    keys = iter(path.keys)
    if table.hidden_keys:
        keys = (key for key in keys if key not in table.hidden_keys)
    excluded = excluded_keys(plan, table, all_rows=all_rows)
    if excluded:
        keys = (key for key in keys if key not in excluded)
    if plan.test is None or path.exact:
        return keys
    test, parts = plan.test, table.parts
    return (key for key in keys if test(parts(key)))


def _access_path(where: Condition | None, table: Table, order_terms: OrderTerms) -> AccessPath:
    by_stamp = stamp_range(where, table)
    if order_terms in STAMP_ORDERS:
        walk = table.by_stamp.backwards if order_terms[0][1] else table.by_stamp.between
        low, high = stamp_bounds(by_stamp)
        return AccessPath((key for _, key in walk(_resume_bound(where, low), high)), by_stamp.exact)
    named = _named_ids(where)
    if named is not None:
        return AccessPath(
            (key for name in named for key in table.by_id.between(name, name + AFTER_REPEATS)), exact=False
        )
    by_id = range_of(where, "Id", read_id)
    if table.by_stamp.count(*stamp_bounds(by_stamp)) < table.by_id.count(*id_bounds(by_id)):
        return AccessPath(sorted(key for _, key in table.by_stamp.between(*stamp_bounds(by_stamp))), by_stamp.exact)
    return AccessPath(table.by_id.between(*id_bounds(by_id)), by_id.exact)


def _resume_bound(where: Condition | None, low: StampKey | None) -> StampKey | None:
    """Return the lower bound of a query that resumes after a row.

    The bound contains the Id, so that many rows of one second are read once.
    """
    point = resume_point(where, STAMP, "Id")
    if point is None or low is None:
        return low
    stamp, record_id = point
    return max(low, (read_stamp(stamp), read_id(record_id) + AFTER_REPEATS))


def stamp_range(where: Condition | None, table: Table) -> Range:
    """Return the interval of SystemModstamp in the condition; unbounded without this field."""
    return range_of(where, STAMP, read_stamp) if STAMP.lower() in table.lower else Range()


def _named_ids(where: Condition | None) -> list[str] | None:
    """Return the Ids of an `Id IN (...)` that every row must fulfil, or None."""
    for part in where.parts if isinstance(where, And) else (where,):
        if isinstance(part, Compare) and part.name.lower() == "id" and part.operator == "IN":
            return sorted({read_id(value) for value in part.values})
    return None


def _sorted(keys: list[str], table: Table, order_by: tuple[Order, ...]) -> list[str]:
    """Sort by several terms, the last first: sorting is stable. Nulls come first by default."""
    keys.sort()
    for order in reversed(order_by):
        rank = _rank(table, order)
        keys.sort(key=rank, reverse=order.descending)
    return keys


def _rank(table: Table, order: Order) -> Callable[[str], tuple[Any, ...]]:
    field = table.lower[order.name.lower()]
    place, read = table.place[field.name], sort_value(field)
    null, value = (0, 1) if order.nulls_last == order.descending else (1, 0)

    def rank(key: str) -> tuple[Any, ...]:
        part = table.parts(key)[place]
        return (null,) if part == NULL else (value, read(part))

    return rank
