"""Remove files that no snapshot needs: of abandoned commits and of expired snapshots."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from sf_assets.errors import TableDamaged
from sf_assets.iceberg.commit.data_writer import remove_files
from sf_assets.iceberg.commit.manifests import Manifests
from sf_assets.iceberg.files import list_files, split_scheme
from sf_assets.iceberg.metadata_log import past_snapshots


def remove_orphan_files(table: Table, *, before: datetime) -> tuple[str, ...]:
    """Delete unreferenced files under the table's location that are older than `before`."""
    orphans = find_orphan_files(table, before=before)
    remove_files(table.io, orphans)
    return orphans


def find_orphan_files(table: Table, *, before: datetime) -> tuple[str, ...]:
    """Return unreferenced files under the table's location that are older than `before`."""
    needed = {_path(path) for path in referenced(table)}
    files = list_files(table.io, table.location())
    old = (file.path for file in files if file.modified is not None and file.modified < before)
    return tuple(path for path in old if _path(path) not in needed)


def referenced(table: Table) -> Iterator[str]:
    """Yield every file that a snapshot of the table or its metadata log needs."""
    metadata = table.metadata
    yield table.metadata_location
    yield from (entry.metadata_file for entry in metadata.metadata_log)
    yield from (statistics.statistics_path for statistics in metadata.statistics)
    yield from (statistics.statistics_path for statistics in metadata.partition_statistics)
    manifests, paths, past = Manifests(table.io), set[str](), past_snapshots(table)
    for snapshot in metadata.snapshots:
        with suppress(*(TableDamaged,) if snapshot in past else ()):  # an erasure is deleting its files
            yield from _files_of(snapshot, manifests, paths)


def _files_of(snapshot: Snapshot, manifests: Manifests, paths: set[str]) -> Iterator[str]:
    yield snapshot.manifest_list
    for manifest in manifests.of(snapshot):
        if manifest.manifest_path not in paths:
            paths.add(manifest.manifest_path)
            yield manifest.manifest_path
            yield from (entry.data_file.file_path for entry in manifests.entries(manifest))


def _path(location: str) -> str:
    """Return a location as a path: engines write file:/x, file:///x and /x."""
    scheme, path = split_scheme(location)
    path = path.removeprefix("file:")
    return "/" + path.lstrip("/") if scheme in {"", "file"} else path
