"""Make a table equal to a whole result, key by key, in one snapshot. Equal rows stay where they are.

Memory: key, hash and position of each row of the table, and one buffer.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl
from pyiceberg.table import Table

from sf_assets.errors import KeysRepeated, ShrinkRefused
from sf_assets.iceberg.commit.casting import cast_frame
from sf_assets.iceberg.commit.data_files import POSITION, LiveFile, read_batches
from sf_assets.iceberg.commit.pending_commit import PendingCommit
from sf_assets.iceberg.commit.schema_evolution import Evolution
from sf_assets.iceberg.commit.table_state import concurrent_commit_error
from sf_assets.iceberg.commit.transaction import ConcurrentCommit
from sf_assets.iceberg.model import SYNCED_AT, Chunk, DeletedRows
from sf_assets.iceberg.translate_errors import caller_errors
from sf_assets.iceberg.write.buffer import Buffer
from sf_assets.iceberg.write.counts import Counts, WriteResult
from sf_assets.iceberg.write.row_lookup import hide_rows, whole_rows
from sf_assets.iceberg.write.row_versions import FILE, refuse_null_keys, span

HASH = "__hash"
ROW = "__row"
MARKED = "__marked"
PURGED = "__purged"


@dataclass
class Replace:
    """A stream of chunks that is the whole table.

    At most `may_vanish` keys may go (None: any number), besides `deleted_rows`.
    """

    name: str
    keys: tuple[str, ...]
    may_vanish: int | None
    summary: Mapping[str, str]
    table: Table
    evolution: Evolution
    now: Callable[[], datetime | None]
    deleted_rows: DeletedRows | None = None

    def __post_init__(self) -> None:
        self._total = Counts()
        self._live: tuple[LiveFile, ...] | None = None
        self._pending = PendingCommit(self.table, self.evolution)
        self._content: list[str] = []
        self._index = pl.DataFrame()
        self._seen: list[pl.Series] = []
        self._arrived: list[pl.DataFrame] = []
        self._shows_deleted = False

    def run(self, chunks: Iterable[Chunk]) -> WriteResult:
        """Replace the rows. An error removes every written file and changes nothing."""
        try:
            state = self._read(chunks)
            self._let_vanish()
            if not self._pending.is_empty:
                self._commit_pending(state)
        finally:
            self._pending.discard()
        added = tuple(column.name for column in self.evolution.added) if self._total.commits else ()
        return WriteResult(self.table, self._total, self._live, added)

    def _read(self, chunks: Iterable[Chunk]) -> str | None:
        """Take all frames; return the last state."""
        state, buffer = None, Buffer()
        for chunk in caller_errors(chunks):
            state = chunk.state if chunk.state is not None else state
            if not chunk.frame.is_empty():
                frame = cast_frame(chunk.frame, self._pending.types, table=self.name)
                for full in buffer.add(frame):
                    self._absorb(full)
        for rest in buffer.flush():
            self._absorb(rest)
        return state

    def _absorb(self, frame: pl.DataFrame) -> None:
        refuse_null_keys(frame, self.keys, table=self.name)
        self._index_for(frame.columns)
        self._total.read += frame.height
        self._shows_deleted |= bool(frame.select(self._marks(frame.columns)[0].any()).item())
        hashed = frame.with_columns(frame.select(self._content).hash_rows().alias(HASH))
        fresh = self._first_time(hashed)
        self._total.unchanged += frame.height - fresh.height
        beside = fresh.join(self._index_near(fresh), on=self.keys, how="left", maintain_order="left")
        self._seen.append(beside[ROW].drop_nulls())
        is_same = (pl.col(HASH) == pl.col(HASH + "_right")).fill_null(False)
        self._total.unchanged += beside.filter(is_same).height
        self._write(beside.filter(~is_same), columns=frame.columns)

    def _write(self, news: pl.DataFrame, *, columns: list[str]) -> None:
        """Add the new versions and hide the former ones."""
        self._pending.add(whole_rows(self._pending, news, columns=columns).sort(self.keys))
        former = news.filter(pl.col(FILE).is_not_null())
        hide_rows(self._pending, former)
        self._total.inserted += news.height - former.height
        self._total.updated += former.height

    def _index_for(self, columns: list[str]) -> None:
        """Read keys, hashes and positions of the table, once for each set of columns."""
        content = sorted(name for name in columns if name != SYNCED_AT)
        if content == self._content:
            return
        self._content = content
        parts = [self._places(i) for i in range(self._pending.first_own_file)]
        index = pl.concat(parts).with_row_index(ROW) if parts else self._no_places()
        self._index = index.unique(self.keys, keep="first", maintain_order=True)
        hide_rows(self._pending, index.join(self._index, on=ROW, how="anti"))

    def _places(self, index: int) -> pl.DataFrame:
        pending = self._pending
        more = (self.deleted_rows.column, self.deleted_rows.stamp) if self.deleted_rows else ()
        columns = list(dict.fromkeys([*self._content, *(name for name in more if name in pending.types)]))
        batches = read_batches(pending.io, pending.files[index], schema=pending.schema, columns=columns)
        parts = [
            batch.select(
                *self.keys, batch.select(self._content).hash_rows().alias(HASH), POSITION, *self._marks(columns)
            )
            for batch in batches
        ]
        return pl.concat(parts).with_columns(pl.lit(index, dtype=pl.UInt32).alias(FILE))

    def _marks(self, columns: Collection[str]) -> tuple[pl.Expr, pl.Expr]:
        """Return two marks: whether a row is deleted, and whether its age explains a purge."""
        rule = self.deleted_rows
        if rule is None or rule.column not in columns:
            return pl.lit(False).alias(MARKED), pl.lit(False).alias(PURGED)
        is_marked = pl.col(rule.column).fill_null(False)
        is_old = (pl.col(rule.stamp) < rule.purged_before).fill_null(False) if rule.stamp in columns else pl.lit(False)
        return is_marked.alias(MARKED), (is_marked & is_old).alias(PURGED)

    def _no_places(self) -> pl.DataFrame:
        keys = {key: self._pending.types[key] for key in self.keys}
        marks = {MARKED: pl.Boolean, PURGED: pl.Boolean}
        places = {HASH: pl.UInt64, POSITION: pl.Int64, **marks, FILE: pl.UInt32}
        return pl.DataFrame(schema={ROW: pl.UInt32, **keys, **places})

    def _index_near(self, frame: pl.DataFrame) -> pl.DataFrame:
        low, high = span(frame[self.keys[0]])
        near = self._index.filter(pl.col(self.keys[0]).is_between(pl.lit(low), pl.lit(high)))
        return near.drop(MARKED, PURGED)

    def _first_time(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Drop rows that came before with equal content. Raises: KeysRepeated for other content."""
        once = frame.unique([*self.keys, HASH], keep="first", maintain_order=True)
        self._refuse_twins(once.filter(once.select(self.keys).is_duplicated()))
        for earlier in self._arrived:
            if not _is_apart(once[self.keys[0]], earlier[self.keys[0]]):
                again = once.join(earlier, on=self.keys, how="inner")
                self._refuse_twins(again.filter(pl.col(HASH) != pl.col(HASH + "_right")))
                once = once.join(again, on=self.keys, how="anti", maintain_order="left")
        self._arrived.append(once.select(*self.keys, HASH))
        return once

    def _refuse_twins(self, twins: pl.DataFrame) -> None:
        if twins.height:
            key = ", ".join(str(value) for value in twins.select(self.keys).row(0))
            raise KeysRepeated(f"{self.name}: two different rows have the key {key}", table=self.name, key=key)

    def _let_vanish(self) -> None:
        """Hide the keys that did not come. Raises: ShrinkRefused."""
        self._index_for(self._content or list(self.keys))
        seen = pl.concat([pl.Series(ROW, [], dtype=pl.UInt32), *self._seen])
        gone = self._index.filter(~pl.col(ROW).is_in(seen.implode()))
        counted = gone.filter(~pl.col(MARKED if self._shows_deleted else PURGED))
        if self.may_vanish is not None and counted.height > self.may_vanish:
            raise self._shrink_refused(counted, most=self.may_vanish)
        hide_rows(self._pending, gone)
        self._total.vanished = gone.height

    def _shrink_refused(self, counted: pl.DataFrame, *, most: int) -> ShrinkRefused:
        deleted = counted[MARKED].sum()
        of_them = f" ({deleted} marked as deleted, and no deleted row was read)" if deleted else ""
        return ShrinkRefused(
            f"{self.name}: {counted.height} of {self._index.height} rows would vanish{of_them}, {most} may",
            table=self.name,
            would_vanish=counted.height,
            may_vanish=most,
        )

    def _commit_pending(self, state: str | None) -> None:
        try:
            result = self._pending.commit(state=state, summary=self.summary, now=self.now())
        except ConcurrentCommit:
            raise concurrent_commit_error(self.table, name=self.name) from None
        self.table, self._live = result.table, result.live
        self._total.add_commit(result)


def _is_apart(one: pl.Series, other: pl.Series) -> bool:
    """Return whether the value ranges of two columns do not overlap."""
    if one.is_empty() or other.is_empty():
        return True
    (low, high), (least, greatest) = span(one), span(other)
    return bool(low > greatest or high < least)
