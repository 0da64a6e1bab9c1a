"""The jobs next to the assets' own: comparison with the org, upkeep, and the log of a run."""

from pathlib import Path

import dagster as dg
import pytest

from sf_assets.definitions import build_definitions

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")
ROOT = Path(__file__).parents[2]
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def job_of(runs, name):
    return build_definitions(runs.deployment).get_repository_def().get_job(name)


def test_the_reconcile_job_compares_every_endpoint_now(runs):
    config = dg.validate_run_config(job_of(runs, "salesforce_reconcile"))["ops"]

    assert len(config) == 30
    assert all(values["config"]["reconcile"] for values in config.values())


def test_the_weekly_upkeep_visits_every_table_and_reports_on_its_asset(runs, instance):
    runs("product", "pricebook")

    result = job_of(runs, "lake_upkeep").execute_in_process(QUIET, instance)

    events = [event for event in result.all_events if event.event_type_value == "ASSET_OBSERVATION"]
    metadata = {event.asset_key.path[-1]: event.asset_observation_data.asset_observation.metadata for event in events}
    assert result.success
    assert {"product", "pricebook"} <= metadata.keys()
    numbers = {name: entry.value for name, entry in metadata["product"].items()}
    assert (numbers["data_files_after"], numbers["delete_files"], numbers["snapshots"]) == (1, 0, 1)
    assert numbers["bytes"] > 0
    assert numbers["saved_bytes"] == 0


def test_a_dry_upkeep_changes_nothing(runs, instance):
    runs("product")
    before = runs.warehouse.facts("product").snapshot_id
    config = {**QUIET, "ops": {"lake_upkeep_tables": {"config": {"dry_run": True}}}}

    result = job_of(runs, "lake_upkeep").execute_in_process(config, instance)

    assert result.success
    assert runs.warehouse.facts("product").snapshot_id == before


def test_no_upkeep_is_scheduled_where_another_engine_does_it(runs):
    schedules = build_definitions(runs.under(SF_ASSETS_UPKEEP="external").deployment).schedules or []

    assert list(schedules) == []


def test_the_console_shows_our_lines_and_not_dagsters_events(runs, tmp_path, capfd):
    (tmp_path / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    job = build_definitions(runs.deployment).resolve_implicit_global_asset_job_def()

    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        job.execute_in_process(instance=instance, asset_selection=[dg.AssetKey(["salesforce", "product"])])

    stderr = capfd.readouterr().err
    assert "product: committed snapshot" in stderr
    assert "DEBUG" not in stderr
