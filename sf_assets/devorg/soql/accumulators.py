"""Aggregates of a group, row by row: a group costs its results and not its rows."""

from collections.abc import Callable
from statistics import fmean
from typing import Any, Protocol

from sf_assets.devorg.soql.date_functions import applied
from sf_assets.devorg.store.row_codec import NULL, decode

Read = Callable[[bytes], Any]


def as_text(part: bytes) -> bytes:
    """Return a date or datetime as it is: text in one form sorts by time."""
    return part


class Accumulator(Protocol):
    """One output of a group. `add` takes a cell's JSON."""

    def add(self, part: bytes) -> None: ...
    def result(self) -> Any: ...


class First:
    """The value of a grouped column, or of a date function of it."""

    def __init__(self, function: str) -> None:
        self._function = function
        self._part: bytes | None = None

    def add(self, part: bytes) -> None:
        if self._part is None:
            self._part = part

    def result(self) -> Any:
        part = self._part or NULL
        return applied(self._function, part) if self._function else decode(part)


class Count:
    """The number of values that are not null."""

    def __init__(self, read: Read) -> None:
        self._count = 0

    def add(self, part: bytes) -> None:
        if part != NULL:
            self._count += 1

    def result(self) -> int:
        return self._count


class Distinct:
    """The number of different values."""

    def __init__(self, read: Read) -> None:
        self._read, self._values = read, set[Any]()

    def add(self, part: bytes) -> None:
        if part != NULL:
            self._values.add(self._read(part))

    def result(self) -> int:
        return len(self._values)


class Maximum:
    """The greatest value, or None."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._value: Any = None
        self._part = NULL

    def add(self, part: bytes) -> None:
        if part == NULL:
            return
        value = self._read(part)
        if self._value is None or self._wins(value):
            self._value, self._part = value, part

    def _wins(self, value: Any) -> bool:
        return bool(value > self._value)

    def result(self) -> Any:
        return decode(self._part)


class Minimum(Maximum):
    """The least value, or None."""

    def _wins(self, value: Any) -> bool:
        return bool(value < self._value)


class Sum:
    """The sum of the numbers, or None without one."""

    def __init__(self, read: Read) -> None:
        self._numbers: list[float] = []

    def add(self, part: bytes) -> None:
        if part != NULL:
            self._numbers.append(float(decode(part)))

    def result(self) -> float | None:
        return sum(self._numbers) if self._numbers else None


class Average(Sum):
    """The mean of the numbers, or None without one."""

    def result(self) -> float | None:
        return fmean(self._numbers) if self._numbers else None


ACCUMULATORS: dict[str, Callable[[Read], Accumulator]] = {
    "COUNT": Count,
    "COUNT_DISTINCT": Distinct,
    "MAX": Maximum,
    "MIN": Minimum,
    "SUM": Sum,
    "AVG": Average,
}
