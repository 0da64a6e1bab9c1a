"""The histories of the tables of one namespace."""

from collections.abc import Callable, Mapping
from datetime import datetime

from pyiceberg.table import Table

from sf_assets.errors import IcebergError
from sf_assets.iceberg.catalog import IcebergCatalog, keys_of, provisional_of
from sf_assets.iceberg.commit.pending_commit import count_rows
from sf_assets.iceberg.commit.table_state import concurrent_commit_error, state_of
from sf_assets.iceberg.commit.transaction import ConcurrentCommit
from sf_assets.iceberg.history.columns import first_columns
from sf_assets.iceberg.history.forget import forget_deleted
from sf_assets.iceberg.history.lineage import Lineage, plan_lineage
from sf_assets.iceberg.history.model import KIND, NUMBER, HistoryResult
from sf_assets.iceberg.history.update import HistoryUpdate
from sf_assets.iceberg.history_state import HistoryState, history_name
from sf_assets.iceberg.maintenance.compact import compact_if_due
from sf_assets.iceberg.translate_errors import translate_errors


class TableHistories:
    """A history for each table that has one. `past_waits`, `is_own_upkeep`: as in `IcebergTables`."""

    def __init__(
        self, catalog: IcebergCatalog, now: Callable[[], datetime], *, past_waits: bool, is_own_upkeep: bool
    ) -> None:
        self._catalog = catalog
        self._now = now
        self._past_waits = past_waits
        self._is_own_upkeep = is_own_upkeep

    def update(
        self,
        table: str,
        *,
        forgets_deleted: bool = False,
        summary: Mapping[str, str] = {},  # noqa: B006 - read only
        doc: str = "",
    ) -> HistoryResult:
        """Append the versions that the table got since the last update. Without news nothing is written.

        forgets_deleted: erase every version of a row that the table no longer has.
        Raises: IcebergError without a table, CommitConflict, TableForeign, TableUnsupported.
        """
        name = history_name(table)
        with translate_errors(name):
            source = self._source(table)
            history = self._open(source, name, doc=doc)
            text = state_of(history)
            state = None if text is None else HistoryState.from_json(text, name=name)
            lineage = plan_lineage(source, state)
            result = self._appended(source, history, name, lineage, state, summary)
            return self._forgotten(result, source, name) if forgets_deleted else result

    def _source(self, table: str) -> Table:
        source = self._catalog.find(table)
        if source is None:
            raise IcebergError(
                f"{table}: there is no such table", table=table, remedy=f"Materialize {table} first, then its history."
            )
        return source

    def _open(self, source: Table, name: str, *, doc: str) -> Table:
        columns = first_columns([source.schema()], provisional=provisional_of(source))
        return self._catalog.open(name, columns=columns, keys=(*keys_of(source), NUMBER), kind=KIND, doc=doc)

    def _appended(
        self,
        source: Table,
        history: Table,
        name: str,
        lineage: Lineage,
        state: HistoryState | None,
        summary: Mapping[str, str],
    ) -> HistoryResult:
        if not lineage.steps:
            return _result(name, history)
        update = HistoryUpdate(
            source, history, name, lineage, state, summary=summary, now=self._now(), expires=self._is_own_upkeep
        )
        after, commit = update.run()
        if commit is not None and self._is_own_upkeep:
            after = compact_if_due(after, commit.live, keys=keys_of(after), now=self._now())
        return _result(
            name,
            after,
            snapshots=len(lineage.steps),
            changes=dict(sorted(update.changes.items())),
            notes=lineage.notes,
            has_gap=lineage.has_gap,
            bytes_written=commit.bytes if commit else 0,
        )

    def _forgotten(self, result: HistoryResult, source: Table, name: str) -> HistoryResult:
        """Erase the deleted rows. Raises: CommitConflict."""
        history = self._catalog.catalog.load_table((self._catalog.namespace, name))
        try:
            after, erased = forget_deleted(history, keys=keys_of(source), now=self._now(), keeps_past=self._past_waits)
        except ConcurrentCommit:
            raise concurrent_commit_error(history, name=name) from None
        values = {field: getattr(result, field) for field in ("snapshots", "changes", "notes", "has_gap")}
        return _result(name, after, **values, erased=erased, bytes_written=result.bytes_written)


def _result(name: str, history: Table, **values: object) -> HistoryResult:
    snapshot = history.current_snapshot()
    return HistoryResult(
        table=name,
        rows=count_rows(history),
        snapshot_id=snapshot.snapshot_id if snapshot else None,
        uri=history.location(),
        columns=tuple(history.schema().column_names),
        **values,  # type: ignore[arg-type]  # the fields of HistoryResult
    )
