"""How long Dagster keeps runs. Without a limit, months of refreshes fill its disk.

The run that made the present version of an asset stays: without it the asset counts as never made, and no freshness
policy turns red.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import dagster as dg

RUNS_A_TICK = 100
"""Runs that one tick deletes; a tick has a minute."""
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def build_history_sensor(name: str, days: int) -> dg.SensorDefinition:
    """Build the sensor that deletes this code location's runs after `days` days."""

    @dg.sensor(
        name=name,
        minimum_interval_seconds=3_600,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Deletes runs older than {days} days, but not those that made the present version of an asset.",
    )
    def history(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        keys = context.repository_def.asset_graph.get_all_asset_keys() if context.repository_def else set()
        before = datetime.now(UTC) - timedelta(days=days)
        count = delete_old_runs(context.instance, keys, before=before)
        return dg.SkipReason(f"Deleted {count} runs from before {before:%Y-%m-%d %H:%M} UTC.")

    return history


def delete_old_runs(instance: dg.DagsterInstance, keys: Collection[dg.AssetKey], *, before: datetime) -> int:
    """Delete ended runs that made only these assets; return their number.

    `before`: only runs created before this moment are deleted.
    """
    needed = _last_runs(instance, keys)
    records = instance.get_run_records(dg.RunsFilter(statuses=_ENDED, created_before=before), ascending=True)
    ours = [
        record.dagster_run.run_id
        for record in records
        if record.dagster_run.asset_selection and record.dagster_run.asset_selection <= set(keys)
    ]
    deleted = [run_id for run_id in ours if run_id not in needed][:RUNS_A_TICK]
    for run_id in deleted:
        instance.delete_run(run_id)
    return len(deleted)


def _last_runs(instance: dg.DagsterInstance, keys: Collection[dg.AssetKey]) -> set[str]:
    entries = [record.asset_entry for record in instance.get_asset_records(list(keys))]
    return {entry.last_materialization.run_id for entry in entries if entry.last_materialization}
