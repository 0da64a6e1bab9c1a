"""Dagster's old runs are deleted, but for those that an asset's present state hangs on."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.instance.config import get_default_tick_retention_settings, get_tick_retention_settings

from sf_assets.assets.run_retention import delete_old_runs
from sf_assets.definitions import build_definitions

ROOT = Path(__file__).parents[2]
ONE, OTHER, FOREIGN = (dg.AssetKey(["salesforce", name]) for name in ("account", "contact", "theirs"))


@pytest.fixture
def run(instance):
    """Runs some assets, as a person who selects them does; the id of the run."""

    def make_run(*keys: dg.AssetKey, fails: bool = False) -> str:
        @dg.multi_asset(specs=[dg.AssetSpec(key) for key in keys])
        def some():
            if fails:
                raise dg.Failure("the org is closed")
            yield from (dg.MaterializeResult(key) for key in keys)

        job = dg.Definitions([some]).resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(instance=instance, asset_selection=list(keys), raise_on_error=False)
        return result.run_id

    return make_run


def run_ids_left(instance):
    return {record.run_id for record in instance.get_runs()}


def tomorrow():
    return datetime.now(UTC) + timedelta(days=1)


def test_a_run_goes_once_a_later_one_has_made_all_of_its_assets(instance, run):
    run(ONE)
    run_of_two, later, failed_run = run(ONE, OTHER), run(ONE), run(ONE, fails=True)

    count_deleted = delete_old_runs(instance, {ONE, OTHER}, before=tomorrow())

    assert count_deleted == 2  # the first, and the one that failed
    assert run_ids_left(instance) == {run_of_two, later}
    assert failed_run not in run_ids_left(instance)
    assert instance.get_latest_materialization_event(OTHER).run_id == run_of_two


def test_young_runs_and_those_of_other_assets_stay(instance, run):
    remaining = {run(ONE), run(ONE), run(FOREIGN), run(FOREIGN)}

    assert delete_old_runs(instance, {ONE}, before=datetime.now(UTC) - timedelta(days=1)) == 0
    assert delete_old_runs(instance, {ONE}, before=tomorrow()) == 1
    assert len(run_ids_left(instance) & remaining) == 3


@pytest.mark.parametrize("file", ["dagster.yaml", "deploy/dagster.yaml"])
def test_every_kind_of_a_sensors_ticks_goes_after_some_days(file):
    settings = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))["retention"]["sensor"]

    defaults = get_default_tick_retention_settings(InstigatorType.SENSOR)
    days = get_tick_retention_settings(settings, defaults)

    assert all(1 <= days[status] <= 30 for status in defaults)


def test_the_sensor_is_there_when_days_are_set_and_spares_what_is_younger(runs, instance, run):
    young = {run(ONE), run(ONE)}
    definitions = build_definitions(runs.under(SF_ASSETS_HISTORY_DAYS="30").deployment)
    repository = definitions.get_repository_def()
    sensor = next(one for one in repository.sensor_defs if one.name == "salesforce_history")

    with dg.build_sensor_context(instance, repository_def=repository) as context:
        result = sensor.evaluate_tick(context)

    assert result.skip_message.startswith("Deleted 0 runs from before ")
    assert run_ids_left(instance) == young
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert "salesforce_history" not in {one.name for one in build_definitions(runs.deployment).sensors}
