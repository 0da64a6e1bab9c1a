"""The IO manager: a sync of an endpoint is merged into its table or replaces it; a plain frame replaces its table."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import dagster as dg
from pydantic import Field

from sf_assets.assets import reporting
from sf_assets.assets.checks import warnings
from sf_assets.assets.failures import raise_as_failure, translate_errors
from sf_assets.assets.kept_columns import keep_columns
from sf_assets.assets.links import column_lineage
from sf_assets.assets.resources import IcebergResource
from sf_assets.errors import ConfigError, IcebergError, SfAssetsError
from sf_assets.sync import status_table

if TYPE_CHECKING:  # Polars and pyiceberg take 0.4 s of CPU to import, and every Dagster process loads this module
    import polars as pl

    from sf_assets.iceberg.model import TableFacts
    from sf_assets.sync.endpoint import Sync


class IcebergIOManager(dg.ConfigurableIOManager):
    """The IO manager of Iceberg tables; the last part of an asset's key is its table.

    Stored: a `Sync` (our endpoints), a `pl.DataFrame`, a `pl.LazyFrame`, or an iterator of frames as the value of a
    `MaterializeResult`; None stores nothing. Loaded, by the input's annotation: `pl.DataFrame` or `pl.LazyFrame`, with
    the columns of the input's metadata `{"columns": [...]}` when it has any.
    """

    iceberg: IcebergResource
    columns_file: str = Field(default="", description="File in which a component keeps the tables' columns for Dagit.")

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Write the value in one stream, and report what was written as the materialization's metadata.

        Raises:
            dg.Failure: reading or writing ended with an error of ours; it names the remedy.
        """
        from sf_assets.sync.endpoint import Sync

        if obj is None:
            return
        store = self._store_sync if isinstance(obj, Sync) else self._store_frames
        asset = dg.AssetExecutionContext.get()
        metadata = store(context.asset_key.path[-1], cast("Any", obj), asset)
        asset.add_asset_metadata(metadata, asset_key=context.asset_key)  # an output's would be stored in two events
        _set_data_version(context, metadata.get("snapshot_id"))

    def load_input(self, context: dg.InputContext) -> "pl.DataFrame | pl.LazyFrame":
        """Return the upstream asset's table, lazy unless the input is a `pl.DataFrame`."""
        import polars as pl

        table = context.asset_key.path[-1]
        with translate_errors(table):
            frame = self._scan(table)
            if columns := context.definition_metadata.get("columns"):
                frame = frame.select(columns)
            return frame.collect() if context.dagster_type.typing_type is pl.DataFrame else frame

    def _scan(self, table: str) -> "pl.LazyFrame":
        tables = self.iceberg.tables()
        if tables.facts(table) is None:
            what = f"there is no table {self._full_name(table)} to load"
            raise ConfigError(what, remedy=f"Materialize the asset that makes the table {table} first.")
        return tables.scan(table)

    def _store_sync(self, table: str, sync: "Sync", asset: dg.AssetExecutionContext) -> dict[str, Any]:
        from sf_assets.sync.write import write_sync

        with raise_as_failure(asset, table, metadata=lambda error: _progress(error, sync, self.iceberg, table)):
            facts = write_sync(self.iceberg.tables(), table, sync, asset.run.run_id)
        seconds = (datetime.now(UTC) - sync.report.began_at).total_seconds()
        problems = warnings(sync.spec, sync.report)
        for line in reporting.end_lines(sync.report, facts, seconds=seconds):
            asset.log.info(line)
        for sentence in problems:
            asset.log.warning(f"{table}: {sentence}")
        status_table.add(self.iceberg.source, _status(sync, facts, asset.run.run_id, problems))
        deleted, name = self._count_deleted(sync, table, facts), self._full_name(table)
        if self.columns_file:
            keep_columns(Path(self.columns_file), table, sync.columns)
        lineage = column_lineage(sync.columns, source=self.iceberg.source, sobject=sync.spec.sobject)
        metadata = reporting.sync_metadata(
            sync, facts=facts, deleted=deleted, table=name, as_of=self._as_of(sync), seconds=seconds
        )
        return metadata | {"dagster/column_lineage": lineage}

    def _as_of(self, sync: "Sync") -> datetime | None:
        """Return as of when the table is true, by this sync or the status table."""
        if sync.report.true_as_of is not None:
            return sync.report.true_as_of
        with suppress(SfAssetsError):  # the rows are committed: a moment that is missing must not fail the run
            return status_table.true_as_of(self.iceberg.tables(), sync.spec.endpoint)
        return None

    def _count_deleted(self, sync: "Sync", table: str, facts: "TableFacts") -> int | None:
        """Return how many rows are deleted in Salesforce, or None if unknown."""
        from sf_assets.sync.deleted_rows import DELETED

        if not sync.spec.has_is_deleted:
            return None
        with suppress(SfAssetsError):  # the rows are committed: a figure that is missing must not fail the run
            return self.iceberg.tables().count_true(table, DELETED, of=facts)
        return None

    def _store_frames(self, table: str, value: object, asset: dg.AssetExecutionContext) -> dict[str, Any]:
        from sf_assets.iceberg.commit.table_state import RUN

        with translate_errors(table):
            written = self.iceberg.tables().overwrite(table, _frames(value), summary={RUN: asset.run.run_id})
        return reporting.frame_metadata(written, self._full_name(table))

    def _full_name(self, table: str) -> str:
        return f"{self.iceberg.namespace}.{table}"


def _progress(error: SfAssetsError, sync: "Sync", iceberg: IcebergResource, table: str) -> dict[str, Any]:
    """Return what a failed sync has read and committed. A catalog that failed is not asked again."""
    metadata = reporting.progress_metadata(sync.report)
    if not isinstance(error, IcebergError):
        with suppress(SfAssetsError):
            metadata |= reporting.table_metadata(iceberg.tables().facts(table), before=sync.facts)
    return metadata


def _frames(value: Any) -> "Iterable[pl.DataFrame]":
    """Return an asset's value as frames.

    Raises:
        ConfigError: it is neither a frame nor an iterable of frames.
    """
    import polars as pl

    if isinstance(value, pl.LazyFrame):
        return [value.collect()]
    if isinstance(value, pl.DataFrame):
        return [value]
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | dict):
        return value
    raise ConfigError(
        f"the asset returned {type(value).__name__}, which is not a table",
        remedy="Return a pl.DataFrame, a pl.LazyFrame, or MaterializeResult(value=<iterator of pl.DataFrame>).",
    )


def _status(sync: "Sync", facts: "TableFacts", run_id: str, warnings: Sequence[str]) -> status_table.Status:
    written = sync.report.written
    return status_table.Status(
        endpoint=sync.spec.endpoint,
        state="warned" if warnings else "fresh" if written and written.commits else "unchanged",
        run_id=run_id,
        true_as_of=sync.report.true_as_of,
        rows=facts.rows,
        snapshot_id=facts.snapshot_id,
        warnings=" ".join(warnings),
        calculated_as_of=sync.report.calculated_as_of,
    )


def _set_data_version(context: dg.OutputContext, snapshot_id: str | None) -> None:
    """Set the snapshot as the asset's data version: a sync without changes changes nothing downstream.

    Dagster has no public way to set it from an IO manager, so this goes through the step's context.
    """
    if snapshot_id is not None:
        context.step_context.set_data_version(context.asset_key, dg.DataVersion(snapshot_id))
