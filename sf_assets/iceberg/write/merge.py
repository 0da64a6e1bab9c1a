"""Merge by key, on read: add changed rows and hide former versions by position, one snapshot a group.

A group ends with a state. Memory is one buffer, whatever the size of group or table.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from pyiceberg.table import Table

from sf_assets.errors import CommitConflict
from sf_assets.iceberg.commit.casting import cast_frame, complete
from sf_assets.iceberg.commit.data_files import POSITION, LiveFile
from sf_assets.iceberg.commit.pending_commit import PendingCommit
from sf_assets.iceberg.commit.schema_evolution import Evolution
from sf_assets.iceberg.commit.table_state import check_base
from sf_assets.iceberg.commit.transaction import ConcurrentCommit
from sf_assets.iceberg.model import Chunk, Unchecked
from sf_assets.iceberg.translate_errors import caller_errors
from sf_assets.iceberg.write.buffer import Buffer
from sf_assets.iceberg.write.counts import Counts, WriteResult
from sf_assets.iceberg.write.row_lookup import find_rows, hide_rows, whole_rows, with_table_values
from sf_assets.iceberg.write.row_versions import (
    FILE,
    OLD,
    VERDICT,
    MergeRule,
    by_key,
    classify,
    latest,
    latest_in_table,
    refuse_null_keys,
    resolve_ties,
    span,
)

TRIES = 10


@dataclass
class Merge:
    """A stream of chunks into one table. `load` loads the table; `plan` returns its schema change."""

    name: str
    rule: MergeRule
    base: str | Unchecked | None
    summary: Mapping[str, str]
    load: Callable[[], Table]
    plan: Callable[[Table], Evolution]
    now: Callable[[], datetime | None]

    def __post_init__(self) -> None:
        self._total = Counts()
        self._added_columns: list[str] = []
        self._group = Counts()
        self._buffer = Buffer()
        self._pending: PendingCommit | None = None
        self._evolution = Evolution()
        self._absorbed = 0
        self._only: pl.DataFrame | None = None
        self._open_keys: tuple[Any, Any] | None = None
        self._table: Table | None = None
        self._live: tuple[LiveFile, ...] | None = None

    def run(self, chunks: Iterable[Chunk]) -> WriteResult:
        """Merge the chunks. An error removes the group's files; earlier groups stay."""
        try:
            for chunk in caller_errors(chunks):
                self._take(chunk.frame)
                if chunk.state is not None:
                    self._commit(chunk.state)
            self._commit(None)
        except BaseException:
            self._discard()
            raise
        return WriteResult(self._open_table(), self._total, self._live, tuple(self._added_columns))

    def _open_table(self) -> Table:
        if self._table is None:
            self._table = self.load()
            check_base(self._table, self.base, name=self.name)
        return self._table

    def _open_pending(self) -> PendingCommit:
        if self._pending is None:
            table = self._open_table()
            self._evolution = self.plan(table)
            if self._live is not None:  # credentials that came with the table may have expired
                table.io = table.catalog.load_table(table.name()).io
            self._pending = PendingCommit(table, self._evolution, live=self._live)
        return self._pending

    def _take(self, frame: pl.DataFrame) -> None:
        if frame.is_empty():
            return
        frame = cast_frame(frame, self._open_pending().types, table=self.name)
        refuse_null_keys(frame, self.rule.keys, table=self.name)
        for full in self._buffer.add(frame):
            self._absorb(full)

    def _absorb(self, frame: pl.DataFrame) -> None:
        """Write the new versions of a frame. A group's only frame stays for replanning."""
        self._absorbed += 1
        self._only = frame if self._absorbed == 1 else None
        self._group.read += frame.height
        rule = self.rule.within(frame.columns)
        rows, equal = latest(frame, rule)
        self._group.unchanged += equal
        self._group.outdated += frame.height - rows.height - equal
        self._write(by_key(rows, rule), rule)

    def _write(self, rows: pl.DataFrame, rule: MergeRule) -> None:
        keys = rows.select(rule.keys)
        self._close_if_overlapping(keys)
        pending = self._open_pending()
        versions = find_rows(pending, keys, rule)
        if versions.is_empty():
            self._group.inserted += rows.height
            pending.add(complete(rows, pending.types))
            return
        best = latest_in_table(versions, rule)
        hide_rows(pending, versions.join(best, on=[FILE, POSITION], how="anti"))
        judged = self._judged(rows, best, rule)
        self._count(judged)
        news = judged.filter(pl.col(VERDICT).is_in(["new", "newer"]))
        hide_rows(pending, best.join(news, on=rule.keys, how="semi"))
        pending.add(whole_rows(pending, news, columns=rows.columns).sort(rule.keys))

    def _close_if_overlapping(self, keys: pl.DataFrame) -> None:
        """Close the open file if its key range overlaps: its rows cannot be looked up."""
        low, high = span(keys.to_series(0))
        if self._open_keys is not None:
            least, greatest = self._open_keys
            if low <= greatest and high >= least:
                self._open_pending().close_file()
            low, high = min(low, least), max(high, greatest)
        self._open_keys = (low, high)

    def _judged(self, rows: pl.DataFrame, versions: pl.DataFrame, rule: MergeRule) -> pl.DataFrame:
        judged = classify(rows, versions, rule)
        ties = judged.filter(pl.col(VERDICT) == "tie")
        if ties.is_empty():
            return judged
        compared = [name for name in rule.compared(rows.columns) if name != rule.stamp]
        resolved = resolve_ties(
            with_table_values(self._open_pending(), ties, compared, suffix=OLD), rule, compared=compared
        )
        return pl.concat([judged.filter(pl.col(VERDICT) != "tie"), resolved.select(judged.columns)])

    def _count(self, judged: pl.DataFrame) -> None:
        """Count the verdicts. A key's second version in one group makes the first outdated."""
        counts = dict(judged[VERDICT].value_counts().iter_rows())
        again = judged.filter(
            (pl.col(VERDICT) == "newer") & (pl.col(FILE) >= self._open_pending().first_own_file)
        ).height
        self._group.inserted += counts.get("new", 0)
        self._group.updated += counts.get("newer", 0) - again
        self._group.unchanged += counts.get("same", 0)
        self._group.outdated += counts.get("older", 0) + again

    def _commit(self, state: str | None) -> None:
        """End the group. Without new versions nothing is committed, whatever the state."""
        for rest in self._buffer.flush():
            self._absorb(rest)
        if self._pending is not None and not self._pending.is_empty:
            self._commit_pending(state)
        self._total.add(self._group)
        self._reset()

    def _commit_pending(self, state: str | None) -> None:
        for left in range(TRIES - 1, -1, -1):
            if self._open_pending().is_empty:
                return
            try:
                result = self._open_pending().commit(state=state, summary=self.summary, now=self.now())
            except ConcurrentCommit:
                self._replan(left)
                continue
            self._table, self._live = result.table, result.live
            if state is not None and not isinstance(self.base, Unchecked):
                self.base = state
            self._group.add_commit(result)
            self._added_columns += [column.name for column in self._evolution.added]
            return

    def _replan(self, left: int) -> None:
        """Plan the group on the table's current version. Raises: CommitConflict."""
        frame, self._table, self._live = self._only, None, None
        self._reset()
        check_base(self._open_table(), self.base, name=self.name)
        if not left or frame is None:
            raise CommitConflict(f"{self.name}: other writers were faster, {TRIES - left} times", table=self.name)
        self._absorb(cast_frame(frame, self._open_pending().types, table=self.name))

    def _reset(self) -> None:
        self._discard()
        self._group = Counts()
        self._absorbed, self._only = 0, None
        self._open_keys = None

    def _discard(self) -> None:
        """Drop the pending commit. Committed files are no longer its own."""
        if self._pending is not None:
            self._pending.discard()
            self._pending = None
