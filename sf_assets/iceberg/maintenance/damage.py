"""Find damage: files of a snapshot that are missing, have another size, or cannot be read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow.parquet as pq
from pyiceberg.io import FileIO
from pyiceberg.manifest import DataFile, ManifestEntryStatus, ManifestFile, read_manifest_list
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from sf_assets.errors import IcebergError, TableDamaged
from sf_assets.iceberg.files import list_files
from sf_assets.iceberg.translate_errors import name_damage


@dataclass(frozen=True)
class Damage:
    """A damaged file or property, and what is wrong with it."""

    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


class DamageFinder:
    """A search through the files of one table. Files that snapshots share are checked once."""

    def __init__(self, io: FileIO, location: str, *, deep: bool = False) -> None:
        self._io = io
        self._deep = deep
        self._sizes = _sizes_below(io, location)
        self._manifests: dict[str, tuple[Damage, ...]] = {}

    def check(self, snapshot: Snapshot | None) -> tuple[Damage, ...]:
        """Return the damage of the snapshot's files."""
        if snapshot is None:
            return ()
        try:
            with name_damage(snapshot.manifest_list):
                manifests = list(read_manifest_list(self._io.new_input(snapshot.manifest_list)))
        except TableDamaged as error:
            return (_as_damage(error),)
        return tuple(damage for manifest in manifests for damage in self._check_manifest(manifest))

    def _check_manifest(self, manifest: ManifestFile) -> tuple[Damage, ...]:
        if manifest.manifest_path not in self._manifests:
            self._manifests[manifest.manifest_path] = tuple(self._find_in_manifest(manifest))
        return self._manifests[manifest.manifest_path]

    def _find_in_manifest(self, manifest: ManifestFile) -> Iterator[Damage]:
        try:
            with name_damage(manifest.manifest_path):
                entries = manifest.fetch_manifest_entry(self._io, discard_deleted=True)
        except TableDamaged as error:
            yield _as_damage(error)
            return
        for file in (entry.data_file for entry in entries if entry.status != ManifestEntryStatus.DELETED):
            yield from self._check_file(file)

    def _check_file(self, file: DataFile) -> Iterator[Damage]:
        size = self._size(file.file_path)
        if size is None:
            yield Damage(file.file_path, "the file is missing")
        elif size != file.file_size_in_bytes:
            yield Damage(file.file_path, f"the file has {size:,} bytes instead of {file.file_size_in_bytes:,}")
        elif self._deep:
            try:
                _read_whole(self._io, file)
            except TableDamaged as error:
                yield _as_damage(error)

    def _size(self, path: str) -> int | None:
        if path in self._sizes:
            return self._sizes[path]
        try:
            return len(self._io.new_input(path))
        except FileNotFoundError:
            return None


def find_damage(table: Table, *, deep: bool = False) -> tuple[Damage, ...]:
    """Return the damage of the table's current snapshot. `deep` reads every value of every file."""
    return DamageFinder(table.io, table.location(), deep=deep).check(table.current_snapshot())


def _read_whole(io: FileIO, file: DataFile) -> None:
    """Decode every value of a Parquet file. Raises: TableDamaged."""
    path = file.file_path
    with name_damage(path), io.new_input(path).open() as stream, pq.ParquetFile(stream) as parquet:
        rows = sum(batch.num_rows for batch in parquet.iter_batches())
    if rows != file.record_count:
        raise TableDamaged(f"{path} is damaged: {rows:,} rows instead of {file.record_count:,}", path=path)


def _sizes_below(io: FileIO, location: str) -> Mapping[str, int]:
    """Return the sizes of the files below a location; empty if the storage cannot list."""
    try:
        return {file.path: file.size for file in list_files(io, f"{location}/data") if file.size is not None}
    except (IcebergError, FileNotFoundError):
        return {}


def _as_damage(error: TableDamaged) -> Damage:
    path = str(error.values.get("path", ""))
    return Damage(path, str(error).removeprefix(f"{path} is damaged: "))
