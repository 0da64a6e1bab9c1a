"""A sorted collection for millions of keys: blocks of a thousand, so that an insertion moves one block."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Any)
BLOCK = 1_000


class SortedKeys(Generic[K]):
    """Distinct keys in ascending order. Bounds are half-open: `low <= key < high`, None is unbounded."""

    def __init__(self, keys: Iterable[K] = ()) -> None:
        ordered = sorted(keys)
        self._blocks = [ordered[start : start + BLOCK] for start in range(0, len(ordered), BLOCK)]
        self._lasts = [block[-1] for block in self._blocks]
        self._size = len(ordered)

    def __len__(self) -> int:
        return self._size

    def copy(self) -> "SortedKeys[K]":
        twin: SortedKeys[K] = SortedKeys()
        twin._blocks = [block.copy() for block in self._blocks]
        twin._lasts, twin._size = self._lasts.copy(), self._size
        return twin

    def add(self, key: K) -> None:
        self._size += 1
        if not self._blocks:
            self._blocks, self._lasts = [[key]], [key]
            return
        at = min(bisect_left(self._lasts, key), len(self._blocks) - 1)
        block = self._blocks[at]
        insort(block, key)
        if len(block) > 2 * BLOCK:
            self._blocks[at : at + 1] = [block[:BLOCK], block[BLOCK:]]
            self._lasts[at : at + 1] = [block[BLOCK - 1], block[-1]]
        else:
            self._lasts[at] = block[-1]

    def remove(self, key: K) -> None:
        """Take a key out; KeyError when it is not there."""
        at = bisect_left(self._lasts, key)
        place = bisect_left(self._blocks[at], key) if at < len(self._blocks) else 0
        if at == len(self._blocks) or self._blocks[at][place] != key:
            raise KeyError(key)
        block = self._blocks[at]
        del block[place]
        self._size -= 1
        if block:
            self._lasts[at] = block[-1]
        else:
            del self._blocks[at], self._lasts[at]

    def count(self, low: K | None = None, high: K | None = None) -> int:
        """How many keys lie within the bounds; costs the number of blocks, not of keys."""
        before = 0 if low is None else self._rank(low)
        return max(0, (self._size if high is None else self._rank(high)) - before)

    def between(self, low: K | None = None, high: K | None = None) -> Iterator[K]:
        """The keys within the bounds, ascending."""
        at, place = (0, 0) if low is None else self._locate(low)
        tail = chain.from_iterable(self._blocks[at:])
        return islice(tail, place, place + self.count(low, high))

    def backwards(self, low: K | None = None, high: K | None = None) -> Iterator[K]:
        """The keys within the bounds, descending."""
        at, place = (len(self._blocks), 0) if high is None else self._locate(high)
        head = chain.from_iterable(reversed(block) for block in reversed(self._blocks[:at]))
        if at < len(self._blocks):
            head = chain(reversed(self._blocks[at][:place]), head)
        return islice(head, self.count(low, high))

    def _locate(self, key: K) -> tuple[int, int]:
        at = bisect_left(self._lasts, key)
        return (at, bisect_left(self._blocks[at], key)) if at < len(self._blocks) else (at, 0)

    def _rank(self, key: K) -> int:
        at, place = self._locate(key)
        return sum(map(len, self._blocks[:at])) + place
