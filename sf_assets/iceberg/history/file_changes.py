"""The rows, by file, that a table lost and gained between two of its snapshots."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl
from pyiceberg.io import FileIO
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from sf_assets.iceberg.commit.data_files import POSITION, LiveFile, deleted_positions, live_files
from sf_assets.iceberg.commit.manifests import Manifests
from sf_assets.iceberg.history.row_source import Rows


@dataclass(frozen=True)
class FileChanges:
    """The rows that left and the rows that came. A row that was moved to another file is in both."""

    lost: tuple[Rows, ...]
    gained: tuple[Rows, ...]


def file_changes(table: Table, before: Snapshot | None, after: Snapshot, manifests: Manifests) -> FileChanges:
    """Compare the data files and position deletes of two snapshots, whatever lies between them."""
    former = _by_path(table, before, manifests)
    present = _by_path(table, after, manifests)
    lost = [Rows(file) for path, file in former.items() if path not in present]
    gained = [Rows(file) for path, file in present.items() if path not in former]
    for path in former.keys() & present.keys():
        hidden, visible = _moved_positions(table.io, former[path], present[path])
        lost += [Rows(former[path], hidden)] if len(hidden) else []
        gained += [Rows(present[path], visible)] if len(visible) else []
    return FileChanges(tuple(lost), tuple(gained))


def _by_path(table: Table, snapshot: Snapshot | None, manifests: Manifests) -> Mapping[str, LiveFile]:
    if snapshot is None:
        return {}
    return {file.path: file for file in live_files(table, manifests, snapshot=snapshot)}


def _moved_positions(io: FileIO, former: LiveFile, present: LiveFile) -> tuple[pl.Series, pl.Series]:
    """Return the positions that became hidden, and those that became visible again."""
    paths = [{delete.file_path for delete in file.deletes} for file in (former, present)]
    if paths[0] == paths[1]:
        return _none(), _none()
    before, after = (deleted_positions(io, file).to_frame() for file in (former, present))
    hidden = after.join(before, on=POSITION, how="anti")[POSITION].sort()
    visible = before.join(after, on=POSITION, how="anti")[POSITION].sort()
    return hidden, visible


def _none() -> pl.Series:
    return pl.Series(POSITION, [], dtype=pl.Int64)
