"""The batches of a read: rows of a page, and the state to commit with them when a commit is due."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from sf_assets.sync.state import State

COMMIT_BYTES = 96 * 2**20
COMMIT_AFTER = timedelta(seconds=20)
"""A slow read commits this often, however few rows came."""
SHORTEST_PAUSE, PAUSE_FACTOR = timedelta(seconds=1), 10
"""Small commits are this far apart, and this many times as long as the last one took: a tenth of the time at most."""


@dataclass(frozen=True)
class Batch:
    """Rows of a page, and the state once they are committed, or None between two commit points.

    The state of the last batch is the final state. `frame` None: nothing was read, the table keeps its rows.
    `is_opening`: the state of this first batch is committed although it has no rows.
    """

    frame: pl.DataFrame | None
    state: State | None
    is_opening: bool = False


class CommitThreshold:
    """A sum of rows and bytes that says when a commit is due.

    A commit is due after `most_rows`, and where pages are slow after `least_rows` (None: only by `COMMIT_AFTER`).
    """

    def __init__(self, now: Callable[[], datetime], *, most_rows: int, least_rows: int | None = None) -> None:
        self._now, self._most_rows, self._least_rows = now, most_rows, least_rows
        self._rows, self._bytes, self._since, self._pause = 0, 0.0, now(), SHORTEST_PAUSE

    def batch(
        self, frame: pl.DataFrame, state: Callable[[], State], *, is_end: bool = False, is_opening: bool = False
    ) -> Iterator[Batch]:
        """Yield the rows of a page, with the state if a commit is due."""
        self._rows += frame.height
        self._bytes += frame.estimated_size()
        if not (is_end or self._is_due()):
            yield Batch(frame, None, is_opening)
            return
        handed_on = self._now()
        yield Batch(frame, state(), is_opening)  # it is committed when the next batch is asked for
        self._rows, self._bytes, self._since = 0, 0.0, self._now()
        self._pause = max(SHORTEST_PAUSE, PAUSE_FACTOR * (self._since - handed_on))

    def _is_due(self) -> bool:
        seconds = self._now() - self._since
        is_small_due = self._least_rows is not None and self._rows >= self._least_rows and seconds >= self._pause
        is_large = self._rows >= self._most_rows or self._bytes >= COMMIT_BYTES
        return is_small_due or is_large or seconds >= COMMIT_AFTER
