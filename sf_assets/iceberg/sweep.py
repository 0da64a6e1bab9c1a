"""Removes what no snapshot of a table needs: files of abandoned commits and of expired snapshots."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlparse

from pyarrow.fs import FileSelector, FileSystem, FileType, FSSpecHandler, PyFileSystem
from pyiceberg.io import FileIO
from pyiceberg.io.fsspec import FsspecFileIO
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.table import Table

from sf_assets.errors import WarehouseError
from sf_assets.iceberg.writer import remove_files


def sweep(table: Table, *, before: datetime) -> tuple[str, ...]:
    """Delete the files under the table's location that are not referenced and older than `before`."""
    needed = {_plain(path) for path in referenced(table)}
    orphans = [path for path, modified in _listed(table) if modified < before and _plain(path) not in needed]
    remove_files(table.io, orphans)
    return tuple(orphans)


def referenced(table: Table) -> Iterator[str]:
    """Every file that some snapshot of the table, or its history of metadata, still needs."""
    metadata = table.metadata
    yield table.metadata_location
    yield from (entry.metadata_file for entry in metadata.metadata_log)
    yield from (statistics.statistics_path for statistics in metadata.statistics)
    seen: set[str] = set()
    for snapshot in metadata.snapshots:
        yield snapshot.manifest_list
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path not in seen:
                seen.add(manifest.manifest_path)
                yield manifest.manifest_path
                yield from (e.data_file.file_path for e in manifest.fetch_manifest_entry(table.io))


def _listed(table: Table) -> Iterator[tuple[str, datetime]]:
    location = table.location()
    scheme = urlparse(location).scheme
    filesystem = _filesystem(table.io, location)
    for info in filesystem.get_file_info(FileSelector(_plain(location), recursive=True, allow_not_found=True)):
        if info.type == FileType.File:
            yield (f"{scheme}://{info.path}" if scheme else info.path), info.mtime


def _filesystem(io: FileIO, location: str) -> FileSystem:
    parsed: Any = urlparse(location)
    scheme = parsed.scheme or "file"
    if isinstance(io, PyArrowFileIO):
        return io.fs_by_scheme(scheme, parsed.netloc or None)
    if isinstance(io, FsspecFileIO):
        return PyFileSystem(FSSpecHandler(io.get_fs(scheme)))
    raise WarehouseError(
        f"{location}: {type(io).__name__} cannot list files", remedy="Remove orphans by the catalog's own tool."
    )


def _plain(path: str) -> str:
    """A path as a file system has it: without its scheme."""
    parsed = urlparse(path)
    return f"{parsed.netloc}{parsed.path}" if parsed.scheme else path
