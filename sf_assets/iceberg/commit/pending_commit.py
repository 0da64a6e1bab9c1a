"""A commit while it grows: rows to add, rows to hide, a changed schema, a state.

`commit` makes everything visible at once. `discard` removes the files that were written for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from pyiceberg.table.metadata import TableMetadata

from sf_assets.errors import TableUnsupported
from sf_assets.iceberg.commit.casting import frame_types
from sf_assets.iceberg.commit.data_files import LiveFile, count_live, deleted_path, deleted_positions, live_files
from sf_assets.iceberg.commit.data_writer import DataFileWriter, remove_files
from sf_assets.iceberg.commit.delete_files import delete_file_name, write_deletes
from sf_assets.iceberg.commit.expire_snapshots import stage_expiry
from sf_assets.iceberg.commit.manifests import Manifests
from sf_assets.iceberg.commit.pyiceberg_internals import CachedTransaction
from sf_assets.iceberg.commit.row_delta import RowDelta
from sf_assets.iceberg.commit.schema_evolution import Evolution, stage_evolution
from sf_assets.iceberg.commit.table_properties import property_updates
from sf_assets.iceberg.commit.table_state import snapshot_states_property, state_property
from sf_assets.iceberg.commit.transaction import ConcurrentCommit, finish
from sf_assets.iceberg.translate_errors import is_denied


@dataclass(frozen=True)
class CommitResult:
    """A finished commit: the table, its data files and what was written."""

    table: Table
    live: tuple[LiveFile, ...]
    files: int
    bytes: int


class PendingCommit:
    """A commit in preparation on top of the table's current snapshot."""

    def __init__(self, table: Table, evolution: Evolution, *, live: Sequence[LiveFile] | None = None) -> None:
        self._table = table
        self.io = table.io
        self.former_columns = frozenset(table.schema().column_names)
        self._transaction = CachedTransaction(table)
        stage_evolution(self._transaction, evolution)
        metadata = self._transaction.table_metadata
        self.schema = metadata.schema()
        self.types = frame_types(self.schema)
        self._manifests = Manifests(self.io)
        self._live = live_files(table, self._manifests) if live is None else list(live)
        self._hidden: dict[str, pl.Series] = {}
        self._dropped: set[str] = set()
        self._deletes: dict[str, DataFile] = {}
        self._delete_paths: list[str] = []
        self._dangling: list[DataFile] = []
        self._writer = DataFileWriter(
            io=self.io,
            schema=self.schema,
            locations=table.location_provider(),
            properties=metadata.properties,
            spec_id=unpartitioned_spec(metadata, table=table.name()[-1]),
        )

    @property
    def files(self) -> list[LiveFile]:
        """The table's files, then those that this commit has closed."""
        return self._live + [LiveFile(file) for file in self._writer.files]

    @property
    def first_own_file(self) -> int:
        """The index in `files` of the first file that was written here."""
        return len(self._live)

    @property
    def is_empty(self) -> bool:
        """Whether the commit would add, hide and remove nothing."""
        return self._writer.is_empty and not (self._hidden or self._dropped or self._dangling)

    def add(self, frame: pl.DataFrame) -> None:
        """Write complete rows of the pending schema."""
        self._writer.add(frame)

    def close_file(self) -> None:
        """Close the open file, so that its rows are part of `files`."""
        self._writer.close_file()

    def hide(self, file: LiveFile, positions: pl.Series) -> None:
        """Hide the rows of a file at the given positions (Int64)."""
        before = self._hidden.get(file.path)
        self._hidden[file.path] = positions if before is None else pl.concat([before, positions]).unique()

    def hidden_positions(self, file: LiveFile) -> pl.Series:
        """Return the positions that this commit hides in a file."""
        return self._hidden.get(file.path, pl.Series([], dtype=pl.Int64))

    def drop(self, file: LiveFile) -> None:
        """Remove a whole data file from the table."""
        self._dropped.add(file.path)

    def drop_deletes(self, files: Sequence[DataFile]) -> None:
        """Remove delete files that hide no row."""
        self._dangling = list(files)

    def drop_all(self) -> None:
        """Remove all present rows from the table."""
        self._dropped.update(file.path for file in self._live)

    def commit(
        self,
        *,
        state: str | None,
        summary: Mapping[str, str],
        now: datetime | None,
        properties: Mapping[str, str] = {},  # noqa: B006 - read only
    ) -> CommitResult:
        """Commit everything as one snapshot, in one swap of the metadata.

        `now`: the moment by which snapshots are old and expire, or None to keep all.
        Raises: ConcurrentCommit, after the written files are removed.
        """
        self._writer.close_file()
        delta = self._delta(summary)
        try:
            delta.commit()
        except BaseException:
            delta.discard()
            raise
        states = {} if state is None else state_property(state, snapshot_id=delta.snapshot_id)
        if changes := {**property_updates(self._table.properties), **properties, **states}:
            self._transaction.set_properties(changes)
        if now is not None:
            stage_expiry(self._transaction, self._table, now=now)
        if state is not None:
            metadata = self._transaction.table_metadata
            self._transaction.set_properties(snapshot_states_property(metadata, state, snapshot_id=delta.snapshot_id))
        return self._result(self._swap(delta))

    def _swap(self, delta: RowDelta) -> Table:
        """Finish the transaction. If the outcome is unknown, ask the table and keep the files.

        A refusal is not certain either: a client or proxy repeats a commit if the first response was lost.
        """
        try:
            return finish(self._transaction)
        except ConcurrentCommit:
            if (result := self._find_commit(delta)) is not None:
                return result
            delta.discard()
            self.discard()
            raise
        except BaseException as error:
            if is_denied(error):
                delta.discard()
                raise
            self._keep_files()
            result = self._find_commit(delta) if isinstance(error, Exception) else None
            if result is None:
                raise
            return result

    def _find_commit(self, delta: RowDelta) -> Table | None:
        """Return the table if it holds the commit, whatever the response was.

        If the table cannot be loaded, no file is removed.
        """
        try:
            table = self._table.catalog.load_table(self._table.name())
        except BaseException:
            self._keep_files()
            raise
        return None if table.snapshot_by_id(delta.snapshot_id) is None else table

    def _keep_files(self) -> None:
        """Keep the written files: they are, or may be, part of the table."""
        self._writer.keep()
        self._delete_paths.clear()

    def _result(self, table: Table) -> CommitResult:
        """Leave the written files to the table and return the result."""
        written = [*self._writer.files, *self._deletes.values()]
        live = tuple(self._file_after(file) for file in self.files if file.path not in self._dropped)
        self._keep_files()
        remove_files(self.io, [file.file_path for file in self._writer.files if file.file_path in self._dropped])
        return CommitResult(table, live, files=len(written), bytes=sum(file.file_size_in_bytes for file in written))

    def _file_after(self, file: LiveFile) -> LiveFile:
        """Return the file after the commit: a new delete file replaces the former ones."""
        delete = self._deletes.get(file.path)
        if delete is None:
            return file
        others = tuple(other for other in file.deletes if deleted_path(other) != file.path)
        return replace(file, deletes=(*others, delete))

    def discard(self) -> None:
        """Remove every file that was written here and is not part of the table."""
        self._writer.discard()
        remove_files(self.io, self._delete_paths)
        self._delete_paths.clear()

    def _delta(self, summary: Mapping[str, str]) -> RowDelta:
        superseded = list(self._dangling)
        for file in self.files:
            if file.path in self._hidden and file.path not in self._dropped:
                superseded += file.own_deletes
                self._write_delete_file(file)
            elif file.path in self._dropped:
                superseded += file.own_deletes
        removed = [file.data for file in self._live if file.path in self._dropped]
        added = [file for file in self._writer.files if file.file_path not in self._dropped]
        return RowDelta(
            self._table,
            self._transaction,
            manifests=self._manifests,
            added=added,
            deletes=[*self._deletes.values()],
            removed=removed,
            superseded=superseded,
            summary=summary,
        )

    def _write_delete_file(self, file: LiveFile) -> None:
        """Write one delete file for the data file, former positions included.

        A data file without live rows is dropped instead.
        """
        old = deleted_positions(self.io, file, own=True)
        positions = pl.concat([old, self._hidden[file.path]]).unique().sort()
        if len(positions) == file.data.record_count:
            self.drop(file)
            return
        path = self._table.location_provider().new_data_location(delete_file_name())
        self._delete_paths.append(path)
        self._deletes[file.path] = write_deletes(self.io, file, positions, path=path)


def unpartitioned_spec(metadata: TableMetadata, *, table: str) -> int:
    """Return the id of the table's unpartitioned spec, for new files. Raises: TableUnsupported."""
    for spec_id, spec in metadata.specs().items():
        if spec.is_unpartitioned():
            return spec_id
    raise TableUnsupported(f"{table}: the table has no unpartitioned partition spec", table=table)


def count_rows(table: Table, files: Sequence[LiveFile] | None = None) -> int:
    """Return the live rows of the current snapshot.

    Without deletes the snapshot's summary has the count; otherwise the files are counted.
    """
    snapshot = table.current_snapshot()
    if snapshot is None:
        return 0
    totals = snapshot.summary.additional_properties if snapshot.summary else {}
    if files is None and totals.get("total-records") is not None and totals.get("total-delete-files") == "0":
        return int(totals["total-records"])
    return sum(count_live(table.io, file) for file in (live_files(table) if files is None else files))
