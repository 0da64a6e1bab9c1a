"""COUNT, MAX, MIN and other aggregates. Counts and bounds of SystemModstamp and Id come from the indexes."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from sf_assets.devorg.api_errors import Refusal, field_refused
from sf_assets.devorg.soql.accumulators import ACCUMULATORS, Accumulator, First, as_text
from sf_assets.devorg.soql.bind import Plan
from sf_assets.devorg.soql.date_functions import applied
from sf_assets.devorg.soql.execute import excluded_keys, matching_keys, stamp_bounds, stamp_range
from sf_assets.devorg.soql.index_range import Range
from sf_assets.devorg.soql.literals import NUMERIC, sort_value
from sf_assets.devorg.soql.syntax import Aggregate, Column
from sf_assets.devorg.store.table import Table
from sf_assets.devorg.store.timestamps import EPOCH, stamp_text

MOST_GROUPS = 2_000
Parts = list[bytes]


def total(plan: Plan, table: Table, *, all_rows: bool) -> int:
    """Return the number of rows of the condition, for `COUNT()`."""
    interval = _stamp_interval(plan, table)
    if interval is None:
        return sum(1 for _ in matching_keys(plan, table, all_rows=all_rows))
    return _count(table, interval, excluded_keys(plan, table, all_rows=all_rows))


def groups(plan: Plan, table: Table, *, all_rows: bool) -> list[dict[str, Any]]:
    """Return the records of a grouping query, without `attributes`."""
    interval = _stamp_interval(plan, table)
    if interval is not None and all(_is_indexed(item) for _, item in plan.outputs) and not plan.select.group_by:
        excluded = excluded_keys(plan, table, all_rows=all_rows)
        return [{name: _from_index(item, table, interval, excluded) for name, item in plan.outputs}]
    return _grouped(plan, table, all_rows=all_rows)


# -- from the indexes ---------------------------------------------------------------------------------------------


def _stamp_interval(plan: Plan, table: Table) -> Range | None:
    """Return the interval of stamps, or None.

    None if the condition says more, or if rows are hidden.
    """
    interval = stamp_range(plan.where, table)
    has_rows_out_of_sight = bool(table.hidden_keys)
    return interval if interval.exact and not has_rows_out_of_sight else None


def _is_indexed(item: Column | Aggregate) -> bool:
    word = (item.function, item.name.lower()) if isinstance(item, Aggregate) else ("", "")
    return word in {("COUNT", "id"), ("MAX", "systemmodstamp"), ("MIN", "systemmodstamp")}


def _count(table: Table, interval: Range, excluded: Mapping[str, int]) -> int:
    low, high = stamp_bounds(interval)
    every = table.by_stamp.count(low, high)
    keys = ((stamp, key) for key, stamp in excluded.items())
    return every - sum((low is None or low <= at) and (high is None or at < high) for at in keys)


def _from_index(item: Column | Aggregate, table: Table, interval: Range, excluded: Mapping[str, int]) -> Any:
    if isinstance(item, Aggregate) and item.function == "COUNT":
        return _count(table, interval, excluded)
    is_max = isinstance(item, Aggregate) and item.function == "MAX"
    walk = table.by_stamp.backwards if is_max else table.by_stamp.between
    stamps = (at for at, key in walk(*stamp_bounds(interval)) if key not in excluded)
    stamp = next(stamps, None)
    return None if stamp is None else stamp_text(EPOCH + timedelta(milliseconds=stamp))


# -- from the rows ------------------------------------------------------------------------------------------------


def _grouped(plan: Plan, table: Table, *, all_rows: bool) -> list[dict[str, Any]]:
    readers = [_reader(column, table) for column in plan.select.group_by]
    make = [_accumulator(item, plan, table) for _, item in plan.outputs]
    places = [table.place[table.lower[item.name.lower()].name] for _, item in plan.outputs]
    groups: dict[tuple[bytes, ...], list[Accumulator]] = {} if readers else {(): [new() for new in make]}
    last = max((*places, *(table.place[table.lower[item.name.lower()].name] for item in plan.select.group_by)))
    for key in matching_keys(plan, table, all_rows=all_rows):
        parts = table.parts(key, last)
        group = tuple(read(parts) for read in readers)
        accumulators = groups.get(group)
        if accumulators is None:
            accumulators = groups[group] = [new() for new in make]
        for accumulator, place in zip(accumulators, places, strict=True):
            accumulator.add(parts[place])
    if len(groups) > MOST_GROUPS and plan.select.limit is None:
        raise _too_many_groups()
    names = [name for name, _ in plan.outputs]
    values = ([accumulator.result() for accumulator in groups[group]] for group in sorted(groups))
    records = _ordered(plan, [dict(zip(names, row, strict=True)) for row in values])
    return records[plan.select.offset :][: plan.select.limit]


def _accumulator(item: Column | Aggregate, plan: Plan, table: Table) -> Callable[[], Accumulator]:
    """Return a function that makes the accumulator of one output."""
    field = table.lower[item.name.lower()]
    if isinstance(item, Column):
        return lambda: First(item.function)
    if item.function in ("SUM", "AVG") and field.type not in NUMERIC:
        raise field_refused(
            plan.select.text, item.at, f"field {field.name} does not support aggregate operator {item.function}"
        )
    return partial(ACCUMULATORS[item.function], as_text if field.type in ("datetime", "date") else sort_value(field))


def _reader(column: Column, table: Table) -> Callable[[Parts], bytes]:
    """Return a function from a row's cells to its group."""
    place = table.place[table.lower[column.name.lower()].name]
    if not column.function:
        return lambda parts: parts[place]
    values: dict[bytes, bytes] = {}  # rows share few moments, and a function costs more than a look-up

    def read(parts: Parts) -> bytes:
        part = parts[place][:14]  # up to the hour
        if part not in values:
            values[part] = json.dumps(applied(column.function, parts[place])).encode()
        return values[part]

    return read


def _ordered(plan: Plan, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort grouped records by ORDER BY, the last term first; null is the lowest value."""
    names = {(item.function, item.name.lower()): name for name, item in plan.outputs}
    for order in reversed(plan.select.order_by):
        name = names[order.function, order.name.lower()]
        records.sort(key=lambda record, name=name: _rank(record[name]), reverse=order.descending)  # type: ignore[misc]
    return records


def _rank(value: Any) -> tuple[bool, Any]:
    return value is not None, value


def _too_many_groups() -> Refusal:
    message = "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
    return Refusal(400, "EXCEEDED_ID_LIMIT", message)
