"""How long Dagster remembers: old runs go with their events, so that months of refreshing do not fill a disk.

A run that made what an asset has now stays: without it the asset would count as never made, and no policy turns red.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import dagster as dg

RUNS_A_TICK = 100
"""So many runs are deleted at once: a tick has a minute."""
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def build_history_sensor(name: str, days: int) -> dg.SensorDefinition:
    """Build the running sensor that deletes this code location's runs once they are older than so many days."""

    @dg.sensor(
        name=name,
        minimum_interval_seconds=3_600,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Deletes runs older than {days} days, but for those that made what an asset has now.",
    )
    def history(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        keys = context.repository_def.asset_graph.get_all_asset_keys() if context.repository_def else set()
        before = datetime.now(UTC) - timedelta(days=days)
        gone = forget_runs(context.instance, keys, before=before)
        return dg.SkipReason(f"{gone} runs of before {before:%Y-%m-%d %H:%M} UTC were deleted.")

    return history


def forget_runs(instance: dg.DagsterInstance, keys: Collection[dg.AssetKey], *, before: datetime) -> int:
    """Delete ended runs of before a moment that made nothing but these assets; returns how many they were."""
    kept = _last_runs(instance, keys)
    old = instance.get_run_records(dg.RunsFilter(statuses=_ENDED, created_before=before), ascending=True)
    ours = [
        record.dagster_run.run_id
        for record in old
        if record.dagster_run.asset_selection and record.dagster_run.asset_selection <= set(keys)
    ]
    gone = [run_id for run_id in ours if run_id not in kept][:RUNS_A_TICK]
    for run_id in gone:
        instance.delete_run(run_id)
    return len(gone)


def _last_runs(instance: dg.DagsterInstance, keys: Collection[dg.AssetKey]) -> set[str]:
    entries = [record.asset_entry for record in instance.get_asset_records(list(keys))]
    return {entry.last_materialization.run_id for entry in entries if entry.last_materialization}
