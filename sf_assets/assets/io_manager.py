"""Frames into the warehouse and back. A sync of an endpoint is merged or replaced; any other asset's frame replaces."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import dagster as dg

from sf_assets.assets import reporting
from sf_assets.assets.checks import warnings
from sf_assets.assets.resources import IcebergResource
from sf_assets.errors import ConfigError, IcebergError, SfAssetsError
from sf_assets.sync import status_table

if TYPE_CHECKING:
    import polars as pl

    from sf_assets.iceberg.model import TableFacts
    from sf_assets.sync.endpoint import Sync


class IcebergIOManager(dg.ConfigurableIOManager):
    """Stores what an asset returns in the table named by the last part of its key, and loads it for other assets.

    Stored: a `Sync` (our endpoints), a `pl.DataFrame`, a `pl.LazyFrame`, or an iterator of frames as the value of a
    `MaterializeResult`; None stores nothing. Loaded, by the input's annotation: `pl.DataFrame` or `pl.LazyFrame`, with
    the columns of the input's metadata `{"columns": [...]}` when it has any.
    """

    iceberg: IcebergResource

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Write the value in one stream and tell what was written as the materialization's metadata.

        Raises `dg.Failure`, with what to do about it, for every error of ours that writing or reading ends with.
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
        """Return the upstream asset's table, lazily unless a `pl.DataFrame` is asked for."""
        import polars as pl

        table = context.asset_key.path[-1]
        with reporting.failing(table):
            frame = self._scan(table)
            if columns := context.definition_metadata.get("columns"):
                frame = frame.select(columns)
            return frame.collect() if context.dagster_type.typing_type is pl.DataFrame else frame

    def _scan(self, table: str) -> "pl.LazyFrame":
        warehouse = self.iceberg.warehouse()
        if warehouse.facts(table) is None:
            what = f"there is no table {self._named(table)} to load"
            raise ConfigError(what, remedy=f"Materialize the asset that makes the table {table} first.")
        return warehouse.scan(table)

    def _store_sync(self, table: str, sync: "Sync", asset: dg.AssetExecutionContext) -> dict[str, Any]:
        from sf_assets.sync.write import write_sync

        run_id = asset.run.run_id
        with reporting.raise_as_failure(asset, table, come_to=lambda error: _come_to(error, sync, self.iceberg, table)):
            facts = write_sync(self.iceberg.warehouse(), table, sync, run_id)
        against = warnings(sync.spec, sync.report)
        status_table.add(_status(sync, facts, run_id=run_id, against=against))
        return reporting.materialized(
            sync.spec,
            sync.report,
            facts=facts,
            columns=sync.columns,
            table=self._named(sync.spec.endpoint),
            seconds=(datetime.now(UTC) - sync.report.began_at).total_seconds(),
        )

    def _store_frames(self, table: str, value: object, asset: dg.AssetExecutionContext) -> dict[str, Any]:
        from sf_assets.iceberg.commit.table_state import RUN

        with reporting.failing(table):
            written = self.iceberg.warehouse().overwrite(table, _frames(value), summary={RUN: asset.run.run_id})
        return reporting.stored(written, self._named(table))

    def _named(self, table: str) -> str:
        return f"{self.iceberg.namespace}.{table}"


def _come_to(error: SfAssetsError, sync: "Sync", iceberg: IcebergResource, table: str) -> dict[str, Any]:
    """What a sync that failed had come to; a warehouse that failed is not asked for it."""
    told = reporting.reading(sync.report)
    if not isinstance(error, IcebergError):
        with suppress(SfAssetsError):
            told |= reporting.kept(iceberg.warehouse().facts(table), before=sync.facts)
    return told


def _frames(value: Any) -> "Iterable[pl.DataFrame]":
    """Return what an asset returned as frames; raise ConfigError when it is no frame and no iterable of frames."""
    import polars as pl

    if isinstance(value, pl.LazyFrame):
        return [value.collect()]
    if isinstance(value, pl.DataFrame):
        return [value]
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | dict):
        return value
    raise ConfigError(
        f"the asset returned {type(value).__name__}, which is no table",
        remedy="Return a pl.DataFrame, a pl.LazyFrame, or MaterializeResult(value=<iterator of pl.DataFrame>).",
    )


def _status(sync: "Sync", facts: "TableFacts", *, run_id: str, against: Sequence[str]) -> status_table.Status:
    written = sync.report.written
    return status_table.Status(
        endpoint=sync.spec.endpoint,
        state="warned" if against else "fresh" if written and written.commits else "unchanged",
        run_id=run_id,
        true_as_of=sync.report.org.true_as_of,
        rows=facts.rows,
        snapshot_id=facts.snapshot_id,
        warnings=" ".join(against),
    )


def _set_data_version(context: dg.OutputContext, snapshot_id: str | None) -> None:
    """Make the snapshot the asset's data version, so that a sync without news makes nothing downstream stale.

    Dagster has no public way to set it from an IO manager; this is the only place that goes through the step's context.
    """
    if snapshot_id is not None:
        context.step_context.set_data_version(context.asset_key, dg.DataVersion(snapshot_id))
