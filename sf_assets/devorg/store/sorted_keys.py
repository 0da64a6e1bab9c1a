"""Sorted keys of a table: a `SortedList` that is read by half-open ranges."""

from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

from sortedcontainers import SortedList

K = TypeVar("K", bound=Any)


class SortedKeys(Generic[K]):
    """Distinct keys in ascending order. Bounds are half-open: `low <= key < high`; None is unbounded."""

    def __init__(self, keys: Iterable[K] = ()) -> None:
        self._keys: SortedList[K] = SortedList(keys)

    def __len__(self) -> int:
        return len(self._keys)

    def copy(self) -> "SortedKeys[K]":
        return SortedKeys(self._keys)

    def add(self, key: K) -> None:
        self._keys.add(key)

    def remove(self, key: K) -> None:
        """Remove a key. Raises: ValueError if it is missing."""
        self._keys.remove(key)

    def count(self, low: K | None = None, high: K | None = None) -> int:
        """Return the number of keys within the bounds, without reading them."""
        first = 0 if low is None else self._keys.bisect_left(low)
        return max(0, (len(self._keys) if high is None else self._keys.bisect_left(high)) - first)

    def between(self, low: K | None = None, high: K | None = None) -> Iterator[K]:
        """Yield the keys within the bounds, ascending."""
        return self._range(low, high, reverse=False)

    def backwards(self, low: K | None = None, high: K | None = None) -> Iterator[K]:
        """Yield the keys within the bounds, descending."""
        return self._range(low, high, reverse=True)

    def _range(self, low: K | None, high: K | None, *, reverse: bool) -> Iterator[K]:
        if low is not None and high is not None and low > high:
            return iter(())
        keys: Iterator[K] = self._keys.irange(low, high, inclusive=(True, False), reverse=reverse)
        return keys
