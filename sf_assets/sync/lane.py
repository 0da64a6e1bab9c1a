"""One of the ranges of Ids that are read at once, and what the caller has of all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from sf_assets.sync.id_range import IdRange
from sf_assets.sync.id_space import IdSpace
from sf_assets.sync.reader import Rows
from sf_assets.sync.state import Spans


@dataclass
class Lane:
    """One range, from `first` on; `taken` is the last Id that the caller has, `is_taken` whether it has all.

    `page` are the first and last Id of a full page: how far apart the Ids are here. `rows` were read.
    """

    range: IdRange
    first: str | None
    taken: str | None
    page: tuple[str, str] | None = None
    rows: int = 0
    is_busy: bool = False
    is_taken: bool = False
    is_beyond: bool = False
    """The org has sent rows after the bound that it was asked for."""

    @property
    def end(self) -> str | None:
        """The last Id that the caller has, or the range's end, or None."""
        return self.range.upper if self.is_taken else self.taken

    @property
    def is_begun(self) -> bool:
        """Whether the caller has anything of it."""
        return self.is_taken or self.taken != self.first

    def own_rows(self, rows: Rows, space: IdSpace) -> Rows:
        """Leave out the rows after `upper`, which another lane reads, and end the range there.

        `upper` may have moved since the query was sent, or the org ignores it. If it is not certain that the first
        row left out is after `upper`, because the order of the Ids is not known yet, the range is read on before it.
        """
        upper, ids = self.range.upper, rows.frame["id"]
        if upper is None or (own := self._own_count(ids, upper, space)) == len(ids):
            self.range.after = rows.last_id or self.range.after
            return rows
        self.range.end_before(ids[own - 1] if own else self.range.after, is_done=space.is_after(ids[own], upper))
        return replace(rows, frame=rows.frame.head(own))

    def _own_count(self, ids: pl.Series, upper: str, space: IdSpace) -> int:
        """Count the first rows of a page that belong to this lane."""
        if upper != self.range.sent_upper:
            return space.rows_until(ids, upper)
        self.is_beyond |= len(ids) > 0 and space.is_after(ids[-1], upper)
        if not self.is_beyond:
            return len(ids)  # the org has compared them with the bound, in its own order
        return next(place for place, row_id in enumerate(ids) if space.is_after(row_id, upper))


def taken_spans(lanes: Sequence[Lane], after_id: str | None) -> tuple[str | None, Spans]:
    """Return the last Id of the caller's first part, and the parts after it."""
    parts: list[tuple[str | None, str | None]] = []
    is_whole = False
    for lane in lanes:
        if lane.is_begun and parts and is_whole:
            parts[-1] = (parts[-1][0], lane.end)
        elif lane.is_begun:
            parts.append((lane.first, lane.end))
        is_whole = lane.is_taken
    if parts and lanes[0].is_begun:
        after_id = parts.pop(0)[1] or after_id
    return after_id, tuple(parts)
