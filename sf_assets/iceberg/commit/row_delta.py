"""One snapshot that adds and removes data files and position deletes: merge-on-read.

It is never retried unchanged: positions of one snapshot are not valid on another.
"""

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import cast

from pyiceberg.avro.codecs import AvroCompressionCodec
from pyiceberg.io import OutputFile
from pyiceberg.manifest import (
    DataFile,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    ManifestWriter,
    write_manifest,
    write_manifest_list,
)
from pyiceberg.partitioning import PartitionSpec
from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.refs import MAIN_BRANCH, SnapshotRefType
from pyiceberg.table.snapshots import Operation, Snapshot, SnapshotSummaryCollector, Summary, update_snapshot_summaries
from pyiceberg.table.update import (
    AddSnapshotUpdate,
    AssertRefSnapshotId,
    SetSnapshotRefUpdate,
    UpdatesAndRequirements,
    UpdateTableMetadata,
)
from pyiceberg.typedef import TableVersion
from pyiceberg.utils.bin_packing import ListPacker

from sf_assets.iceberg.commit.counting_file import CountingOutputFile
from sf_assets.iceberg.commit.data_writer import remove_files
from sf_assets.iceberg.commit.manifests import Manifests
from sf_assets.iceberg.commit.pyiceberg_internals import DeleteManifestWriter

MERGE_FROM = "commit.manifest.min-count-to-merge"
MANIFEST_BYTES = 8 * 1024 * 1024
LOWER_BOUNDS, UPPER_BOUNDS = 10, 11
"""Positions in a DataFile."""
COMPRESSION: AvroCompressionCodec = "deflate"


class RowDelta(UpdateTableMetadata["RowDelta"]):
    """A snapshot that adds `added` and `deletes`, and removes `removed` and `superseded`."""

    def __init__(
        self,
        table: Table,
        transaction: Transaction,
        *,
        manifests: Manifests,
        added: Sequence[DataFile],
        deletes: Sequence[DataFile] = (),
        removed: Collection[DataFile] = (),
        superseded: Collection[DataFile] = (),
        summary: Mapping[str, str],
    ) -> None:
        super().__init__(transaction)
        self._io = table.io
        self._locations = table.location_provider()
        self._metadata: TableMetadata = transaction.table_metadata
        self._parent = self._metadata.current_snapshot()
        self.snapshot_id: int = self._metadata.new_snapshot_id()
        self._cache = manifests
        self._added = list(added)
        self._deletes = list(deletes)
        self._removed = [*removed, *superseded]
        self._removed_data = {file.file_path for file in removed}
        self._removed_deletes = {file.file_path for file in superseded}
        self._summary_properties = dict(summary)
        self._uuid = uuid.uuid4()
        self._paths: list[str] = []

    def discard(self) -> None:
        """Remove the manifests of a commit that did not happen."""
        remove_files(self._io, self._paths)
        self._paths.clear()

    def _commit(self) -> UpdatesAndRequirements:
        """Write the manifests and return the updates that make the snapshot the current one."""
        parent_id = self._parent.snapshot_id if self._parent else None
        sequence_number = self._metadata.next_sequence_number()
        path = self._write_list(self._manifests(), parent_id=parent_id, sequence_number=sequence_number)
        snapshot = {
            "snapshot-id": self.snapshot_id,
            "parent-snapshot-id": parent_id,
            "manifest-list": path,
            "sequence-number": sequence_number,
            "summary": self._summary(),
            "schema-id": self._metadata.current_schema_id,
        }
        current = {"ref-name": MAIN_BRANCH, "type": SnapshotRefType.BRANCH, "snapshot-id": self.snapshot_id}
        updates = (
            AddSnapshotUpdate(snapshot=Snapshot.model_validate(snapshot)),
            SetSnapshotRefUpdate.model_validate(current),
        )
        return updates, (AssertRefSnapshotId.model_validate({"ref": MAIN_BRANCH, "snapshot-id": parent_id}),)

    def _write_list(self, manifests: list[ManifestFile], *, parent_id: int | None, sequence_number: int) -> str:
        path = self._new_path(f"snap-{self.snapshot_id}-0-{self._uuid}.avro")
        output = self._io.new_output(path)
        with write_manifest_list(
            self._version, output, self.snapshot_id, parent_id, sequence_number, COMPRESSION
        ) as writer:
            writer.add_manifests(manifests)
        return path

    def _manifests(self) -> list[ManifestFile]:
        before = [m for m in self._cache.of(self._parent) if m.has_added_files() or m.has_existing_files()]
        data = [m for m in before if m.content == ManifestContent.DATA]
        if self._removed_data:
            data = [self._without(manifest) for manifest in data]
        added = [self._manifest_of(files) for files in _by_spec(self._added)]
        deletes = [m for m in before if m.content == ManifestContent.DELETES]
        return self._merge_small([*added, *data]) + self._delete_manifests(deletes)

    def _without(self, manifest: ManifestFile) -> ManifestFile:
        """Return the manifest with removed files marked as deleted, or unchanged without them."""
        entries = self._cache.entries(manifest)
        if not any(entry.data_file.file_path in self._removed_data for entry in entries):
            return manifest
        with _open_writer(self._writer(manifest.partition_spec_id)) as writer:
            for entry in entries:
                if entry.data_file.file_path in self._removed_data:
                    writer.delete(_without_bounds(entry))
                else:
                    writer.existing(entry)
        return writer.to_manifest_file()

    def _delete_manifests(self, manifests: Sequence[ManifestFile]) -> list[ManifestFile]:
        """Write the position deletes of each partition spec into one manifest."""
        if not (self._deletes or self._removed_deletes):
            return list(manifests)
        specs = {m.partition_spec_id for m in manifests} | {file.spec_id for file in self._deletes}
        written = [self._delete_manifest(spec, manifests) for spec in sorted(specs)]
        return [manifest for manifest in written if manifest is not None]

    def _delete_manifest(self, spec_id: int, manifests: Sequence[ManifestFile]) -> ManifestFile | None:
        entries = [e for m in manifests if m.partition_spec_id == spec_id for e in self._cache.entries(m)]
        added = [file for file in self._deletes if file.spec_id == spec_id]
        if not (entries or added):
            return None
        with _open_writer(self._delete_writer(spec_id)) as writer:
            for entry in entries:
                (writer.delete if entry.data_file.file_path in self._removed_deletes else writer.existing)(entry)
            for file in added:
                writer.add(_added_entry(file, self.snapshot_id))
        return writer.to_manifest_file()

    def _manifest_of(self, files: Sequence[DataFile]) -> ManifestFile:
        with _open_writer(self._writer(files[0].spec_id)) as writer:
            for file in files:
                writer.add(_added_entry(file, self.snapshot_id))
        return writer.to_manifest_file()

    def _merge_small(self, manifests: list[ManifestFile]) -> list[ManifestFile]:
        """Merge small manifests. Opening a manifest costs more than one of its entries."""
        count = int(self._metadata.properties.get(MERGE_FROM, "8"))
        merged: list[ManifestFile] = []
        for _, group in groupby(sorted(manifests, key=_spec_id), key=_spec_id):
            packer: ListPacker[ManifestFile] = ListPacker(MANIFEST_BYTES, lookback=1, largest_bin_first=False)
            for packed in packer.pack_end(list(group), lambda manifest: manifest.manifest_length):
                merged += packed if len(packed) < count else [self._merge_manifests(packed)]
        return merged

    def _merge_manifests(self, manifests: Sequence[ManifestFile]) -> ManifestFile:
        with _open_writer(self._writer(manifests[0].partition_spec_id)) as writer:
            for manifest in manifests:
                for entry in self._entries(manifest):
                    if entry.status == ManifestEntryStatus.DELETED:
                        writer.delete(entry)
                    elif entry.status == ManifestEntryStatus.ADDED and entry.snapshot_id == self.snapshot_id:
                        writer.add(entry)
                    else:
                        writer.existing(entry)
        return writer.to_manifest_file()

    def _entries(self, manifest: ManifestFile) -> list[ManifestEntry]:
        """Return the entries of a manifest; of a former manifest only the live ones."""
        if manifest.manifest_path in self._paths:
            return manifest.fetch_manifest_entry(self._io, discard_deleted=False)
        return self._cache.entries(manifest)

    def _summary(self) -> Summary:
        specs, schema = self._metadata.specs(), self._metadata.schema()
        collector = SnapshotSummaryCollector()
        for file in [*self._added, *self._deletes]:
            collector.add_file(file, schema=schema, partition_spec=specs[file.spec_id])
        for file in self._removed:
            collector.remove_file(file, schema=schema, partition_spec=specs[file.spec_id])
        operation = Operation.OVERWRITE if self._deletes or self._removed else Operation.APPEND
        summary = Summary(operation=operation, **collector.build(), **self._summary_properties)
        former = self._parent.summary if self._parent else None
        return update_snapshot_summaries(summary, cast("Mapping[str, str] | None", former))

    @property
    def _version(self) -> TableVersion:
        return self._metadata.format_version

    def _spec(self, spec_id: int) -> PartitionSpec:
        return self._metadata.specs()[spec_id]

    def _writer(self, spec_id: int) -> ManifestWriter:
        output, schema = self._new_manifest(), self._metadata.schema()
        return write_manifest(self._version, self._spec(spec_id), schema, output, self.snapshot_id, COMPRESSION)

    def _delete_writer(self, spec_id: int) -> DeleteManifestWriter:
        output, schema = self._new_manifest(), self._metadata.schema()
        return DeleteManifestWriter(self._spec(spec_id), schema, output, self.snapshot_id, COMPRESSION)

    def _new_manifest(self) -> OutputFile:
        path = self._new_path(f"{self._uuid}-m{len(self._paths)}.avro")
        return CountingOutputFile(self._io.new_output(path))

    def _new_path(self, name: str) -> str:
        self._paths.append(self._locations.new_metadata_location(name))
        return self._paths[-1]


@contextmanager
def _open_writer(writer: ManifestWriter) -> Iterator[ManifestWriter]:
    """Open the writer. pyiceberg replaces an error before the first entry by one about an empty manifest."""
    try:
        with writer:
            yield writer
    except ValueError as error:
        if error.__context__ is None or "empty manifest" not in str(error):
            raise
        raise error.__context__ from None


def _by_spec(files: Iterable[DataFile]) -> list[list[DataFile]]:
    ordered = sorted(files, key=lambda file: file.spec_id)
    return [list(group) for _, group in groupby(ordered, key=lambda file: file.spec_id)]


def _spec_id(manifest: ManifestFile) -> int:
    return manifest.partition_spec_id


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


def _added_entry(file: DataFile, snapshot_id: int) -> ManifestEntry:
    return ManifestEntry.from_args(
        status=ManifestEntryStatus.ADDED,
        snapshot_id=snapshot_id,
        sequence_number=None,
        file_sequence_number=None,
        data_file=file,
    )
