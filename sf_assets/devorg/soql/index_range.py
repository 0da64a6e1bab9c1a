"""The interval of one field in a WHERE clause, so that a query reads an index and not the table."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

from sf_assets.devorg.soql.syntax import And, Compare, Condition, Or, Value


@dataclass(frozen=True)
class Bound:
    """One end of an interval; `inside` includes the value itself. The value None is unbounded."""

    value: Any = None
    inside: bool = True


@dataclass(frozen=True)
class Range:
    """An interval. If `exact`, the condition says nothing else, and rows need no further test."""

    low: Bound = Bound()
    high: Bound = Bound()
    exact: bool = False


SIDES: dict[str, tuple[bool, bool, bool]] = {  # operator: bounds below, bounds above, the value itself is inside
    "=": (True, True, True),
    ">": (True, False, False),
    ">=": (True, False, True),
    "<": (False, True, False),
    "<=": (False, True, True),
}


def range_of(condition: Condition | None, name: str, read: Callable[[Value], Any]) -> Range:
    """Return the smallest interval of a field that holds all rows of the condition.

    `read` turns literals into values.
    """
    if condition is None:
        return Range(exact=True)
    if isinstance(condition, Compare):
        return _compared(condition, read) if condition.name.lower() == name.lower() else Range()
    if isinstance(condition, (And, Or)):
        ranges = [range_of(part, name, read) for part in condition.parts]
        return reduce(_narrowed if isinstance(condition, And) else _widened, ranges)
    return Range()


def _compared(condition: Compare, read: Callable[[Value], Any]) -> Range:
    sides = SIDES.get(condition.operator)
    if sides is None or condition.values[0].kind == "null":
        return Range()
    below, above, inside = sides
    bound = Bound(read(condition.values[0]), inside)
    return Range(bound if below else Bound(), bound if above else Bound(), exact=True)


def _narrowed(left: Range, right: Range) -> Range:
    low = max(left.low, right.low, key=_low_rank)
    high = min(left.high, right.high, key=_high_rank)
    return Range(low, high, exact=left.exact and right.exact)


def _widened(left: Range, right: Range) -> Range:
    low = min(left.low, right.low, key=_low_rank)
    high = max(left.high, right.high, key=_high_rank)
    return Range(low, high)


def _low_rank(bound: Bound) -> tuple[Any, ...]:
    return (0,) if bound.value is None else (1, bound.value, not bound.inside)


def _high_rank(bound: Bound) -> tuple[Any, ...]:
    return (1,) if bound.value is None else (0, bound.value, bound.inside)


def resume_point(condition: Condition | None, first: str, second: str) -> tuple[Value, Value] | None:
    """Return the two values of a condition that resumes after a row, or None.

    Its form is `first > x OR (first = x AND second > y)`. Other conditions are tested row by row.
    """
    for part in condition.parts if isinstance(condition, And) else (condition,):
        if isinstance(part, Or) and len(part.parts) == 2:
            point = _point(part.parts[0], part.parts[1], names=(first.lower(), second.lower()))
            if point is not None:
                return point
    return None


def _point(greater: Condition, level: Condition, *, names: tuple[str, str]) -> tuple[Value, Value] | None:
    compares = [
        part for part in (greater, *(level.parts if isinstance(level, And) else ())) if isinstance(part, Compare)
    ]
    first, second = names
    if [(part.name.lower(), part.operator) for part in compares] != [(first, ">"), (first, "="), (second, ">")]:
        return None
    x, level_x, y = (part.values[0] for part in compares)
    return (x, y) if x.text == level_x.text else None
