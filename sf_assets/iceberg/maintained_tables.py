"""The tables of a namespace, with what keeps them small and what erases from them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from sf_assets.errors import ColumnIncompatible
from sf_assets.iceberg.catalog import IcebergCatalog, keys_of
from sf_assets.iceberg.commit.table_state import concurrent_commit_error
from sf_assets.iceberg.commit.transaction import ConcurrentCommit
from sf_assets.iceberg.metadata_log import past_snapshots
from sf_assets.iceberg.translate_errors import translate_errors

if TYPE_CHECKING:
    from sf_assets.iceberg.history.service import TableHistories
    from sf_assets.iceberg.maintenance.service import TableMaintenance


class Upkeep(StrEnum):
    """Who compacts the tables and expires their snapshots: we do, or another engine."""

    OWN = "own"
    EXTERNAL = "external"


def utc_now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


class MaintainedTables:
    """The part of `IcebergTables` that removes: erasures, orphan files, maintenance."""

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
        self._catalog = IcebergCatalog(catalog=catalog, namespace=namespace, properties=properties)
        self._now = now
        self._past_waits = past_waits
        self._upkeep = Upkeep(upkeep)

    def erase(self, table: str, column: str) -> int:
        """Erase the rows with a true `column`; return their count. Raises: CommitConflict."""
        from sf_assets.iceberg.maintenance.erase import erase  # imported here: few tables erase rows

        with translate_errors(table):
            loaded = self._catalog.find(table)
            if loaded is None:
                return 0
            try:
                return erase(loaded, column, now=self._now(), keeps_past=self._past_waits)[1]
            except ConcurrentCommit:
                raise concurrent_commit_error(loaded, name=table) from None

    def erase_columns(self, table: str, names: Sequence[str]) -> int:
        """Drop columns and their values everywhere; return the number of rewritten files.

        Columns that the table lacks are ignored; the call then completes an erasure that was interrupted.
        Raises: ColumnIncompatible for a key column, CommitConflict.
        """
        from sf_assets.iceberg.maintenance.erase import erase_columns  # see erase

        with translate_errors(table):
            loaded = self._catalog.find(table)
            if loaded is None:
                return 0
            if keys := [name for name in names if name in keys_of(loaded)]:
                raise ColumnIncompatible(f"{table}: column {keys[0]} is a key", table=table, column=keys[0])
            try:
                return erase_columns(loaded, names, now=self._now(), keeps_past=self._past_waits)[1]
            except ConcurrentCommit:
                raise concurrent_commit_error(loaded, name=table) from None

    def complete_erasure(self, table: str, *, read_location: str) -> int:
        """Delete what the last erasure kept for other readers; return the number of snapshots.

        `read_location`: the metadata file that the readers have. After a later commit nothing is deleted yet.
        Raises: CommitConflict.
        """
        from sf_assets.iceberg.maintenance.erase import erase_past  # see erase

        with translate_errors(table):
            loaded = self._catalog.find(table)
            if loaded is None or loaded.metadata_location != read_location:
                return 0
            past = past_snapshots(loaded)
            try:
                erase_past(loaded)
            except ConcurrentCommit:
                raise concurrent_commit_error(loaded, name=table) from None
            return len(past)

    def remove_orphan_files(self, table: str, *, older_than: timedelta = timedelta(days=1)) -> tuple[str, ...]:
        """Remove the files that no snapshot of the table needs; return their paths."""
        from sf_assets.iceberg.maintenance.orphan_files import (
            remove_orphan_files,
        )  # imported here: it loads every file system

        with translate_errors(table):
            loaded = self._catalog.find(table)
            return () if loaded is None else remove_orphan_files(loaded, before=self._now() - older_than)

    @property
    def maintenance(self) -> "TableMaintenance":
        """Repair and upkeep of the tables."""
        from sf_assets.iceberg.maintenance.service import TableMaintenance  # imported here: no sync needs it

        return TableMaintenance(self._catalog, self._now)

    @property
    def histories(self) -> "TableHistories":
        """The histories of the tables."""
        from sf_assets.iceberg.history.service import TableHistories  # imported here: few tables have a history

        is_own = self._upkeep is Upkeep.OWN
        return TableHistories(self._catalog, self._now, past_waits=self._past_waits, is_own_upkeep=is_own)
