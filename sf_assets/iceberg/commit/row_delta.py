"""One snapshot that adds and removes data files and position deletes: merge-on-read.

It is never retried unchanged: positions of one snapshot are not valid on another.
"""

# ruff: noqa: SLF001 - pyiceberg offers its snapshot producer to subclasses only by these names

import uuid
from collections.abc import Collection, Mapping, Sequence

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io import FileIO, OutputFile
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    ManifestWriter,
    ManifestWriterV2,
)
from pyiceberg.table import Transaction
from pyiceberg.table.snapshots import Operation, Summary
from pyiceberg.table.update import UpdateTableMetadata
from pyiceberg.table.update.snapshot import _ManifestMergeManager, _SnapshotProducer
from pyiceberg.typedef import Record

from sf_assets.iceberg.commit.counting_file import CountingOutputFile
from sf_assets.iceberg.commit.data_files import DELETED_PATH_ID, DELETED_POSITION_ID, FIELD_ID, LiveFile
from sf_assets.iceberg.commit.manifests import Manifests

MERGE_FROM = "commit.manifest.min-count-to-merge"
MANIFEST_BYTES = 8 * 1024 * 1024
LOWER_BOUNDS, UPPER_BOUNDS = 10, 11
"""Places in a DataFile."""
DELETE_SCHEMA = pa.schema(
    [
        pa.field("file_path", pa.string(), nullable=False, metadata={FIELD_ID: str(DELETED_PATH_ID)}),
        pa.field("pos", pa.int64(), nullable=False, metadata={FIELD_ID: str(DELETED_POSITION_ID)}),
    ]
)


class RowDelta(_SnapshotProducer["RowDelta"]):
    """A snapshot that adds `added` and `deletes`, and removes `removed` and `superseded`."""

    def __init__(
        self,
        transaction: Transaction,
        *,
        manifests: Manifests,
        added: Sequence[DataFile],
        deletes: Sequence[DataFile] = (),
        removed: Collection[DataFile] = (),
        superseded: Collection[DataFile] = (),
    ) -> None:
        operation = Operation.OVERWRITE if deletes or removed or superseded else Operation.APPEND
        super().__init__(operation, transaction, transaction._table.io)
        self._cache = manifests
        self._added_data_files = list(added)
        self._deletes = list(deletes)
        self._gone_data = {file.file_path for file in removed}
        self._gone_deletes = {file.file_path for file in superseded}
        self._removed = [*removed, *superseded]

    def stage(self, summary: Mapping[str, str]) -> None:
        """Write the manifests and add the snapshot to the transaction, without pyiceberg's retry."""
        self.snapshot_properties = dict(summary)
        UpdateTableMetadata.commit(self)

    def discard(self) -> None:
        """Remove the manifests of a commit that did not happen."""
        self._clean_all_uncommitted()

    def _manifests(self) -> list[ManifestFile]:
        before = self._manifests_before()
        data = [m for m in before if m.content == ManifestContent.DATA]
        if self._gone_data:
            data = [rest for m in data if (rest := self._without(m, self._gone_data)) is not None]
        if self._added_data_files:
            data.insert(0, self._manifest_of(self._added_data_files))
        deletes = [m for m in before if m.content == ManifestContent.DELETES]
        return self._merged(data) + self._one_delete_manifest(deletes)

    def _manifests_before(self) -> list[ManifestFile]:
        manifests = self._cache.of(self._transaction.table_metadata.current_snapshot())
        return [m for m in manifests if m.has_added_files() or m.has_existing_files()]

    def _without(self, manifest: ManifestFile, gone: Collection[str]) -> ManifestFile | None:
        """Return the manifest with the given files marked as deleted, or unchanged without them."""
        entries = self._cache.entries(manifest)
        if not any(entry.data_file.file_path in gone for entry in entries):
            return manifest
        with self._writer_like(manifest) as writer:
            for entry in entries:
                if entry.data_file.file_path in gone:
                    writer.delete(_without_bounds(entry))
                else:
                    writer.existing(entry)
        return writer.to_manifest_file()

    def _one_delete_manifest(self, manifests: Sequence[ManifestFile]) -> list[ManifestFile]:
        """Write all position deletes into one manifest: at most one entry a data file."""
        if not (self._deletes or self._gone_deletes):
            return list(manifests)
        entries = [e for m in manifests for e in self._cache.entries(m)]
        if not (entries or self._deletes):
            return []
        with self._delete_writer() as writer:
            for entry in entries:
                (writer.delete if entry.data_file.file_path in self._gone_deletes else writer.existing)(entry)
            for file in self._deletes:
                writer.add(_added(file, self._snapshot_id))
        return [writer.to_manifest_file()]

    def _manifest_of(self, files: Sequence[DataFile]) -> ManifestFile:
        with self.new_manifest_writer(self._transaction.table_metadata.spec()) as writer:
            for file in files:
                writer.add(_added(file, self._snapshot_id))
        return writer.to_manifest_file()

    def fetch_manifest_entry(self, manifest: ManifestFile, discard_deleted: bool = True) -> list[ManifestEntry]:
        """Return the entries of a manifest; of a former manifest only the live ones."""
        if manifest.manifest_path in self._written_manifests:
            return super().fetch_manifest_entry(manifest, discard_deleted)
        return self._cache.entries(manifest)

    def new_manifest_output(self) -> OutputFile:
        return CountingOutputFile(super().new_manifest_output())

    def _merged(self, manifests: list[ManifestFile]) -> list[ManifestFile]:
        """Merge small manifests. Opening a manifest costs more than one of its entries."""
        count = int(self._transaction.table_metadata.properties.get(MERGE_FROM, "8"))
        return _ManifestMergeManager(MANIFEST_BYTES, count, True, self).merge_manifests(manifests)

    def _writer_like(self, manifest: ManifestFile) -> ManifestWriter:
        if manifest.content == ManifestContent.DELETES:
            return self._delete_writer()
        return self.new_manifest_writer(self.spec(manifest.partition_spec_id))

    def _delete_writer(self) -> "DeleteManifestWriter":
        metadata = self._transaction.table_metadata
        output = self.new_manifest_output()
        return DeleteManifestWriter(metadata.spec(), metadata.schema(), output, self._snapshot_id, self._compression)

    def _summary(self, snapshot_properties: Mapping[str, str] = {}) -> Summary:  # noqa: B006 - never mutated; theirs
        data = self._added_data_files
        self._added_data_files, self._deleted_data_files = data + self._deletes, set(self._removed)
        try:
            return super()._summary(dict(snapshot_properties))
        finally:
            self._added_data_files, self._deleted_data_files = data, set()

    def _deleted_entries(self) -> list[ManifestEntry]:
        return []  # the rewritten manifests hold them

    def _existing_manifests(self) -> list[ManifestFile]:
        return self._manifests_before()


def _without_bounds(entry: ManifestEntry) -> ManifestEntry:
    """Return the entry without bounds: they may be values of erased rows."""
    file = DataFile(*(entry.data_file[place] for place in range(len(entry.data_file))))
    file[LOWER_BOUNDS] = file[UPPER_BOUNDS] = None
    return ManifestEntry.from_args(
        status=entry.status,
        snapshot_id=entry.snapshot_id,
        sequence_number=entry.sequence_number,
        file_sequence_number=entry.file_sequence_number,
        data_file=file,
    )


class DeleteManifestWriter(ManifestWriterV2):
    """A writer of manifests of delete files."""

    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}


def write_deletes(io: FileIO, file: LiveFile, positions: pl.Series, *, path: str) -> DataFile:
    """Write the delete file of one data file. `positions` must be ascending.

    The path bounds let readers attach it to that data file alone.
    """
    paths = pa.array([file.path] * len(positions), pa.string())
    table = pa.table([paths, positions.to_arrow().cast(pa.int64())], schema=DELETE_SCHEMA)
    output = CountingOutputFile(io.new_output(path))
    with output.create() as stream:
        pq.write_table(table, stream, compression="zstd")
    delete = DataFile.from_args(
        content=DataFileContent.POSITION_DELETES,
        file_path=path,
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=len(positions),
        file_size_in_bytes=len(output),
        lower_bounds=_delete_bounds(file, positions[0]),
        upper_bounds=_delete_bounds(file, positions[-1]),
    )
    delete.spec_id = file.data.spec_id
    return delete


def delete_file_name() -> str:
    return f"{uuid.uuid4()}-deletes.parquet"


def _delete_bounds(file: LiveFile, position: int) -> dict[int, bytes]:
    return {DELETED_PATH_ID: file.path.encode(), DELETED_POSITION_ID: position.to_bytes(8, "little", signed=True)}


def _added(file: DataFile, snapshot_id: int) -> ManifestEntry:
    return ManifestEntry.from_args(
        status=ManifestEntryStatus.ADDED,
        snapshot_id=snapshot_id,
        sequence_number=None,
        file_sequence_number=None,
        data_file=file,
    )
