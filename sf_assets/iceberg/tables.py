"""The tables of one namespace: their facts, and every way to write them. Frames in, snapshots out.

Rows, column changes, state and summary of a write become visible together, in one swap of the table's metadata.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl
from pyiceberg.table import Table

from sf_assets.errors import IcebergError
from sf_assets.iceberg.catalog import keys_of, provisional_of
from sf_assets.iceberg.column_history import ColumnChange, column_changes
from sf_assets.iceberg.comments import comment_limit, with_short_comments
from sf_assets.iceberg.commit.commit_state import commit_columns, commit_state
from sf_assets.iceberg.commit.pending_commit import PendingCommit, count_rows
from sf_assets.iceberg.commit.schema_evolution import Evolution, plan_evolution
from sf_assets.iceberg.commit.table_state import check_base, concurrent_commit_error, state_of
from sf_assets.iceberg.commit.transaction import ConcurrentCommit
from sf_assets.iceberg.maintained_tables import MaintainedTables, Upkeep, utc_now
from sf_assets.iceberg.maintenance.compact import compact_if_due
from sf_assets.iceberg.metadata_log import TableVersions, read_metadata_log
from sf_assets.iceberg.model import UNCHECKED, Chunk, DeletedRows, TableColumn, TableFacts, Unchecked, Written
from sf_assets.iceberg.table_stats import count_since, count_true
from sf_assets.iceberg.translate_errors import caller_errors, translate_errors
from sf_assets.iceberg.write.counts import Counts, WriteResult
from sf_assets.iceberg.write.merge import Merge
from sf_assets.iceberg.write.overwrite import fill, first_frame, frame_columns, plan_overwrite
from sf_assets.iceberg.write.replace import Replace
from sf_assets.iceberg.write.row_versions import MergeRule

if TYPE_CHECKING:
    from sf_assets.iceberg.connectivity import Connectivity

__all__ = ["UNCHECKED", "Chunk", "TableColumn", "TableFacts", "Unchecked", "IcebergTables", "Written"]

ROWS, FRAME = "rows", "frame"
"""Kinds of table: rows with keys, or a plain frame that is replaced whole."""


class IcebergTables(MaintainedTables):
    """The tables of `namespace` in a pyiceberg catalog. Use one object a process: it holds the connections."""

    def __init__(
        self,
        catalog: str,
        namespace: str,
        properties: Mapping[str, str],
        *,
        now: Callable[[], datetime] = utc_now,
        past_waits: bool = False,
        upkeep: str = Upkeep.OWN,
    ) -> None:
        super().__init__(catalog, namespace, properties, now=now, past_waits=past_waits, upkeep=upkeep)
        self._row_counts: dict[str, tuple[int | None, int]] = {}
        self._loaded: dict[str, Table] = {}

    def facts(self, table: str) -> TableFacts | None:
        """Return the table's facts, or None if it does not exist. Raises: TableForeign."""
        with translate_errors(table):
            loaded = self._catalog.find(table)
            return None if loaded is None else self._facts(table, loaded)

    def names(self) -> tuple[str, ...]:
        """Return the names of all tables of the namespace, sorted; empty without a namespace."""
        with translate_errors(self._catalog.namespace):
            return self._catalog.names()

    def versions(self, table: str) -> TableVersions | None:
        """Return the table's metadata log, or None if the table does not exist."""
        with translate_errors(table):
            loaded = self._catalog.find(table)
            return None if loaded is None else read_metadata_log(loaded)

    def column_changes(self, table: str) -> tuple[ColumnChange, ...]:
        """Return the changes of the table's columns, oldest first; empty without a table."""
        with translate_errors(table):
            loaded = self._catalog.find(table)
            return () if loaded is None else column_changes(loaded)

    def check_connectivity(self) -> "Connectivity | None":
        """Check by reads that catalog and storage respond, or return None without a namespace.

        Raises: IcebergError.
        """
        from sf_assets.iceberg.connectivity import check_connectivity  # imported here: only the doctor needs it

        with translate_errors(self._catalog.namespace):
            return check_connectivity(self._catalog.catalog, self._catalog.namespace)

    def count_since(
        self, table: str, column: str, since: datetime | None, *, of: TableFacts | None = None
    ) -> tuple[int, datetime | None]:
        """Return COUNT(*) and MAX(column) of the rows with column >= since (None: all).

        Without a table the result is (0, None). of: facts from the last call of `facts`; their version is used without
        loading the table again.
        """
        with translate_errors(table):
            loaded = self._version(table, of)
            return (0, None) if loaded is None else count_since(loaded, column, since)

    def count_true(self, table: str, column: str, *, of: TableFacts | None = None) -> int:
        """Return how many rows have true in a boolean column. `of` is as for `count_since`."""
        with translate_errors(table):
            loaded = self._version(table, of)
            return 0 if loaded is None else count_true(loaded, column)

    def _version(self, table: str, facts: TableFacts | None) -> Table | None:
        """Return the version of the facts if it is loaded, else the present one."""
        loaded = self._loaded.get(table)
        if facts is not None and loaded is not None and loaded.metadata_location == facts.metadata_location:
            return loaded
        return self._catalog.find(table)

    def merge(
        self,
        table: str,
        *,
        columns: Sequence[TableColumn],
        keys: Sequence[str],
        stamp: str | None,
        chunks: Iterable[Chunk],
        base: str | Unchecked | None,
        summary: Mapping[str, str] = {},  # noqa: B006 - read only
        doc: str = "",
    ) -> Written:
        """Merge the chunks by key. Each chunk with a state ends a commit.

        Frames hold a subset of `columns`; missing columns keep the table's values. A commit without news is left out.
        Memory: one buffer, flat.
        Raises: CommitConflict (the state is not `base`), KeysRepeated, ValueUnexpected, ColumnIncompatible,
        TableForeign, TableUnsupported.
        """
        with translate_errors(table):
            columns = self._storable(columns)
            merge = Merge(
                name=table,
                rule=MergeRule(tuple(keys), stamp),
                base=base,
                summary=summary,
                load=lambda: self._catalog.open(table, columns=columns, keys=keys, kind=ROWS, doc=doc),
                plan=lambda opened: _plan(opened, columns, name=table),
                now=self._expiry_time,
            )
            return self._finished(table, merge.run(chunks), columns=columns)

    def replace(
        self,
        table: str,
        *,
        columns: Sequence[TableColumn],
        keys: Sequence[str],
        chunks: Iterable[Chunk],
        base: str | Unchecked | None,
        may_vanish: int | None,
        deleted_rows: DeletedRows | None = None,
        retype: bool = False,
        summary: Mapping[str, str] = {},  # noqa: B006 - read only
        doc: str = "",
    ) -> Written:
        """Make the table equal to the chunks, in one commit.

        Equal rows stay where they are.

        deleted_rows: rows that do not count for `may_vanish`.
        retype: replace a column of another type than the table's.
        Raises: ShrinkRefused if more than `may_vanish` keys would go, and as `merge`.
        """
        with translate_errors(table):
            columns = self._storable(columns)
            loaded = self._catalog.open(table, columns=columns, keys=keys, kind=ROWS, doc=doc)
            check_base(loaded, base, name=table)
            replace = Replace(
                name=table,
                keys=tuple(keys),
                may_vanish=may_vanish,
                deleted_rows=deleted_rows,
                summary=summary,
                table=loaded,
                evolution=_plan(loaded, columns, name=table, retype=retype),
                now=self._expiry_time,
            )
            return self._finished(table, replace.run(chunks), columns=columns, retype=retype)

    def commit_state(
        self,
        table: str,
        *,
        columns: Sequence[TableColumn],
        base: str | Unchecked | None,
        state: str,
        keys: Sequence[str] | None = None,
    ) -> TableFacts:
        """Set the state without a snapshot; create the table if needed. Raises: CommitConflict."""
        with translate_errors(table):
            columns = self._storable(columns)
            loaded = commit_state(
                load=lambda: self._catalog.open(table, columns=columns, keys=keys, kind=ROWS),
                plan=lambda opened: _plan(opened, columns, name=table),
                base=base,
                state=state,
                table=table,
            )
            return self._facts(table, loaded)

    def overwrite(
        self,
        table: str,
        frames: Iterable[pl.DataFrame],
        *,
        summary: Mapping[str, str] = {},  # noqa: B006 - read only
    ) -> Written:
        """Replace a plain table, its columns included, with the frames, in one commit."""
        with translate_errors(table):
            first, every = first_frame(caller_errors(frames), table=table)
            columns = frame_columns(first, table=table)
            loaded = self._catalog.open(table, columns=columns, keys=(), kind=FRAME)
            evolution = plan_overwrite(loaded.schema(), columns, table=table)
            counts = Counts(vanished=count_rows(loaded))
            with _pending(loaded, evolution, name=table) as pending:
                counts.read = counts.inserted = fill(pending, every, table=table)
                result = pending.commit(state=None, summary=summary, now=self._expiry_time())
            counts.add_commit(result)
            added = [column.name for column in evolution.added]
            return counts.written(result.table, rows=counts.read, added_columns=added)

    def scan(self, table: str) -> pl.LazyFrame:
        """Return the current snapshot as a lazy frame; projections and predicates reach the files."""
        with translate_errors(table):
            loaded = self._catalog.find(table)
            if loaded is None:
                raise IcebergError(
                    f"{table}: there is no such table", table=table, remedy="Materialize the table first."
                )
            properties = loaded.io.properties.items()  # a REST catalog has objects among them
            options = {name: value for name, value in properties if "." in name and isinstance(value, str)}
            return pl.scan_iceberg(loaded, storage_options=options or None)

    def read(self, table: str, frame: pl.LazyFrame) -> pl.DataFrame:
        """Collect a lazy frame that `scan` returned. Raises: IcebergError if a file cannot be read."""
        with translate_errors(table):
            return frame.collect()

    def _finished(
        self, name: str, outcome: WriteResult, *, columns: Sequence[TableColumn], retype: bool = False
    ) -> Written:
        """Compact if needed. If no row changed, commit new columns anyway."""
        table, counts = outcome.table, outcome.counts
        if outcome.live is not None:
            rows = count_rows(table, outcome.live)
            if self._upkeep is Upkeep.OWN:
                table = compact_if_due(table, outcome.live, keys=keys_of(table), now=self._now())
            return counts.written(table, rows=rows, added_columns=outcome.added_columns)
        evolution = _plan(table, columns, name=name, retype=retype)
        table = commit_columns(table, evolution, table=name)
        return counts.written(table, rows=count_rows(table), added_columns=[column.name for column in evolution.added])

    def _expiry_time(self) -> datetime | None:
        """Return the time by which snapshots expire, or None if another engine expires them."""
        return self._now() if self._upkeep is Upkeep.OWN else None

    def _storable(self, columns: Sequence[TableColumn]) -> tuple[TableColumn, ...]:
        return with_short_comments(columns, comment_limit(self._catalog.catalog))

    def _facts(self, name: str, table: Table) -> TableFacts:
        self._loaded[name] = table
        snapshot = table.current_snapshot()
        snapshot_id = snapshot.snapshot_id if snapshot else None
        counted_at, rows = self._row_counts.get(name, (None, 0))
        if counted_at != snapshot_id:  # with deletes the count reads files
            rows = count_rows(table)
            self._row_counts[name] = (snapshot_id, rows)
        return TableFacts(
            rows=rows,
            snapshot_id=snapshot_id,
            state=state_of(table),
            columns=tuple(table.schema().column_names),
            uri=table.location(),
            metadata_location=table.metadata_location,
            types=tuple(field.field_type for field in table.schema().fields),
        )


@contextmanager
def _pending(table: Table, evolution: Evolution, *, name: str) -> Iterator[PendingCommit]:
    pending = PendingCommit(table, evolution)
    try:
        yield pending
    except ConcurrentCommit:
        raise concurrent_commit_error(table, name=name) from None
    finally:
        pending.discard()


def _plan(table: Table, columns: Sequence[TableColumn], *, name: str, retype: bool = False) -> Evolution:
    return plan_evolution(table.schema(), columns, provisional=provisional_of(table), table=name, retype=retype)
