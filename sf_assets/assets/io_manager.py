"""Frames into the warehouse and back. A sync of an endpoint is merged or replaced; any other asset's frame replaces."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

import dagster as dg

from sf_assets.assets import reporting, status
from sf_assets.assets.checks import warnings
from sf_assets.assets.forgetting import DELETED, forgets, without_strangers
from sf_assets.assets.resources import IcebergResource
from sf_assets.errors import ConfigError, ResultIncomplete, SfAssetsError, WarehouseError

if TYPE_CHECKING:
    import polars as pl

    from sf_assets.iceberg.model import Chunk, TableFacts, Written
    from sf_assets.iceberg.warehouse import Warehouse
    from sf_assets.state import State
    from sf_assets.sync import Sync

STAMP = "system_modstamp"
"""The column that orders two versions of a row."""


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
        from sf_assets.sync import Sync

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
        run_id = asset.run.run_id
        with reporting.teaching(asset, table, come_to=lambda error: _come_to(error, sync, self.iceberg, table)):
            facts = write_sync(self.iceberg.warehouse(), table, sync, run_id)
        against = warnings(sync.spec, sync.record)
        status.note(_status(sync, facts, run_id=run_id, against=against))
        return reporting.materialized(
            sync.spec,
            sync.record,
            facts=facts,
            columns=sync.columns,
            table=self._named(sync.spec.endpoint),
            seconds=(datetime.now(UTC) - sync.record.began_at).total_seconds(),
        )

    def _store_frames(self, table: str, value: object, asset: dg.AssetExecutionContext) -> dict[str, Any]:
        with reporting.failing(table):
            written = self.iceberg.warehouse().overwrite(table, _frames(value), summary=_summary(asset.run.run_id))
        return reporting.stored(written, self._named(table))

    def _named(self, table: str) -> str:
        return f"{self.iceberg.namespace}.{table}"


def write_sync(warehouse: "Warehouse", table: str, sync: "Sync", run_id: str) -> "TableFacts":
    """Drain a sync into its table and return the table's facts; `sync.record` is complete afterwards.

    A sync that got further than its last rows has its final state committed alone. Raises what
    reading and writing raise.
    """
    from sf_assets.columns import table_columns

    written = sync.record.written = _write_batches(warehouse, table, sync, run_id)
    facts = sync.facts if written is None else warehouse.facts(table)
    state = _json(sync.record.final)
    if state is not None and sync.record.settle and (facts is None or facts.state != state):
        committed = facts is not None and written is not None and written.commits > 0
        base = facts.state if facts and committed else _json(sync.base)
        facts = warehouse.settle(
            table, columns=table_columns(sync.columns), base=base, state=state, keys=sync.spec.keys
        )
    if facts is not None and forgets(sync.spec) and warehouse.erase(table, DELETED):
        facts = warehouse.facts(table)
    if facts is None:
        raise ResultIncomplete(f"{table}: the sync ended without a table", endpoint=table)
    if sync.facts is not None:
        sync.record.retyped = facts.retyped_since(sync.facts)
    return facts


def _come_to(error: SfAssetsError, sync: "Sync", iceberg: IcebergResource, table: str) -> dict[str, Any]:
    """What a sync that failed had come to; a warehouse that failed is not asked for it."""
    told = reporting.reading(sync.record)
    if not isinstance(error, WarehouseError):
        with suppress(SfAssetsError):
            told |= reporting.kept(iceberg.warehouse().facts(table), before=sync.facts)
    return told


def _write_batches(warehouse: "Warehouse", table: str, sync: "Sync", run_id: str) -> "Written | None":
    from sf_assets.columns import table_columns

    chunks = _chunks(sync)
    if forgets(sync.spec):
        chunks = without_strangers(chunks, warehouse, sync.spec)
    first = next(chunks, None)
    if first is None:
        return None
    told: dict[str, Any] = {
        "columns": table_columns(sync.columns),
        "keys": sync.spec.keys,
        "chunks": chain([first], chunks),
        "base": _json(sync.base),
        "summary": _summary(run_id),
        "doc": sync.spec.description,
    }
    if sync.how == "merge":
        return warehouse.merge(table, stamp=STAMP, **told)
    return warehouse.replace(table, may_vanish=sync.may_vanish, retype=sync.retype, **told)


def _chunks(sync: "Sync") -> "Iterator[Chunk]":
    from sf_assets.iceberg.model import Chunk

    return (Chunk(batch.frame, _json(batch.state)) for batch in sync.batches)


def _json(state: "State | None") -> str | None:
    return None if state is None else state.to_json()


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


def _status(sync: "Sync", facts: "TableFacts", *, run_id: str, against: Sequence[str]) -> status.Status:
    written = sync.record.written
    return status.Status(
        endpoint=sync.spec.endpoint,
        state="warned" if against else "fresh" if written and written.commits else "unchanged",
        run_id=run_id,
        true_as_of=sync.record.true_as_of,
        rows=facts.rows,
        snapshot_id=facts.snapshot_id,
        warnings=" ".join(against),
    )


def _summary(run_id: str) -> dict[str, str]:
    return {"sf_assets.run": run_id}


def _set_data_version(context: dg.OutputContext, snapshot_id: str | None) -> None:
    """Make the snapshot the asset's data version, so that a sync without news makes nothing downstream stale.

    Dagster has no public way to set it from an IO manager; this is the only place that goes through the step's context.
    """
    if snapshot_id is not None:
        context.step_context.set_data_version(context.asset_key, dg.DataVersion(snapshot_id))
