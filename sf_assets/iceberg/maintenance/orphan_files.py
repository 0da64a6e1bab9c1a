"""Remove files that no snapshot needs: of abandoned commits and of expired snapshots."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlparse

from pyarrow.fs import FileSelector, FileType
from pyiceberg.io import FileIO
from pyiceberg.io.fsspec import FsspecFileIO
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.table import Table

from sf_assets.errors import IcebergError
from sf_assets.iceberg.commit.data_writer import remove_files


def remove_orphan_files(table: Table, *, before: datetime) -> tuple[str, ...]:
    """Delete unreferenced files under the table's location that are older than `before`."""
    needed = {_path_without_scheme(path) for path in referenced(table)}
    orphans = [
        path for path, modified in _listed(table) if modified < before and _path_without_scheme(path) not in needed
    ]
    remove_files(table.io, orphans)
    return tuple(orphans)


def referenced(table: Table) -> Iterator[str]:
    """Yield every file that a snapshot of the table or its metadata log needs."""
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
    """Yield the files under the table's location with their age; skip files without one."""
    location = table.location()
    scheme = urlparse(location).scheme
    for path, modified in _listing(table.io, location):
        if modified is not None:
            yield (f"{scheme}://{path}" if scheme else path), modified


def _listing(io: FileIO, location: str) -> Iterator[tuple[str, datetime | None]]:
    parsed = urlparse(location)
    if isinstance(io, PyArrowFileIO):
        selector = FileSelector(_path_without_scheme(location), recursive=True, allow_not_found=True)
        infos = io.fs_by_scheme(parsed.scheme or "file", parsed.netloc or None).get_file_info(selector)
        return ((info.path, info.mtime) for info in infos if info.type == FileType.File)
    if isinstance(io, FsspecFileIO):
        listing = io.get_fs(parsed.scheme or "file").find(_path_without_scheme(location), detail=True)
        return ((path, _modified(info)) for path, info in listing.items())
    remedy = "Remove orphans by the catalog's own tool."
    raise IcebergError(f"{location}: {type(io).__name__} cannot list files", remedy=remedy)


def _modified(info: Mapping[str, Any]) -> datetime | None:
    """Return when a file was written, from the fields of fsspec's file systems."""
    if isinstance(info.get("LastModified"), datetime):
        return cast(datetime, info["LastModified"])
    return datetime.fromtimestamp(info["mtime"], UTC) if "mtime" in info else None


def _path_without_scheme(path: str) -> str:
    """Return the path without its scheme."""
    parsed = urlparse(path)
    return f"{parsed.netloc}{parsed.path}" if parsed.scheme else path
