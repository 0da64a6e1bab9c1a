"""The weekly upkeep of a table: compaction, dangling delete files, snapshot expiry, orphan files."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pyiceberg.manifest import DataFile, DataFileContent
from pyiceberg.table import Table

from sf_assets.iceberg.catalog import keys_of
from sf_assets.iceberg.commit.data_files import live_files
from sf_assets.iceberg.commit.data_writer import remove_files
from sf_assets.iceberg.commit.expire_snapshots import due_snapshots, stage_expiry
from sf_assets.iceberg.commit.manifests import Manifests
from sf_assets.iceberg.commit.pyiceberg_internals import CachedTransaction
from sf_assets.iceberg.commit.transaction import ConcurrentCommit, finish
from sf_assets.iceberg.maintenance.compact import WEEKLY, compact, files_to_compact
from sf_assets.iceberg.maintenance.orphan_files import find_orphan_files

ORPHAN_AGE = timedelta(days=3)
"""A running write may need younger files."""


@dataclass(frozen=True)
class UpkeepResult:
    """What an upkeep did to a table, or in a dry run would do."""

    table: str
    data_files: int
    data_files_after: int
    rewritten_files: int
    dangling_deletes: int
    expired_snapshots: int
    orphan_files: int
    was_overtaken: bool = False
    """A sync committed first; the table is left for the next upkeep."""

    @property
    def is_idle(self) -> bool:
        """Whether there was nothing to do."""
        return not (self.rewritten_files or self.dangling_deletes or self.expired_snapshots or self.orphan_files)


def maintain(table: Table, *, now: datetime, dry_run: bool = False) -> UpkeepResult:
    """Compact the table, drop what nothing needs, and say what was done.

    A plain frame without keys is not compacted: each run replaces it.
    """
    name, keys, manifests = table.name()[-1], keys_of(table), Manifests(table.io)
    files = live_files(table, manifests)
    due = files_to_compact(files, WEEKLY) if keys else []
    dangling = _dangling_deletes(table, manifests, {d.file_path for file in files for d in file.deletes})
    expired = due_snapshots(table, table.metadata, now=now)
    was_overtaken, after = False, len(files)
    if not dry_run:
        try:
            if due or (dangling and keys):
                table = compact(table, files, due, keys=keys, now=now, dangling=dangling)
                after = len(live_files(table))
            elif expired:
                table = _expire(table, now=now)
        except ConcurrentCommit:
            was_overtaken = True
    orphans = find_orphan_files(table, before=now - ORPHAN_AGE)
    if not dry_run:
        remove_files(table.io, orphans)
    return UpkeepResult(name, len(files), after, len(due), len(dangling), len(expired), len(orphans), was_overtaken)


def _dangling_deletes(table: Table, manifests: Manifests, needed: set[str]) -> list[DataFile]:
    """Return the delete files that apply to no data file; other engines leave them."""
    entries = (entry for m in manifests.of(table.current_snapshot()) for entry in manifests.entries(m))
    deletes = (entry.data_file for entry in entries if entry.data_file.content != DataFileContent.DATA)
    return [file for file in deletes if file.file_path not in needed]


def _expire(table: Table, *, now: datetime) -> Table:
    transaction = CachedTransaction(table)
    stage_expiry(transaction, table, now=now)
    return finish(transaction)
