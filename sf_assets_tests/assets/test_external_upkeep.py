"""The asset `lake_upkeep`: another engine's job is run, followed, and its effect on each table is measured."""

import json
import sys

import dagster as dg
import pytest

from sf_assets.assets.external_upkeep import read_job
from sf_assets.definitions import build_definitions
from sf_assets.errors import ConfigError
from sf_assets_tests.iceberg.conftest import Account

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
ENGINE = """
import json, sys
from sf_assets.iceberg.tables import IcebergTables
print(IcebergTables("salesforce", "salesforce", json.loads(sys.argv[1])).maintenance.maintain("account"))
"""


@pytest.fixture
def account(runs):
    """A table of five files, and one with rows that were replaced."""
    account = Account(runs.warehouse)
    for turn in range(5):
        account.merge(account.frame((f"{turn}", "a", turn), ("shared", f"v{turn}", turn)), state=f"s{turn}")
    return account


@pytest.fixture
def upkeep(runs, tmp_path, instance, account):
    """Run the asset with a job; return the result."""

    def run(job, dry_run=False):
        path = tmp_path / "upkeep.json"
        path.write_text(json.dumps(job))
        deployment = runs.under(SF_ASSETS_UPKEEP="external", SF_ASSETS_UPKEEP_JOB=str(path)).deployment
        job = build_definitions(deployment).resolve_implicit_global_asset_job_def()
        config = {**QUIET, "ops": {"lake_upkeep": {"config": {"dry_run": dry_run}}}}
        keys = [dg.AssetKey("lake_upkeep")]
        return job.execute_in_process(config, instance, asset_selection=keys, raise_on_error=False)

    return run


def engine_of(runs):
    return {"command": [sys.executable, "-c", ENGINE, json.dumps(runs.deployment.iceberg.catalog_properties())]}


def numbers(event):
    return {name: entry.value for name, entry in event.metadata.items() if isinstance(entry.value, int)}


def test_the_asset_runs_the_engine_and_shows_what_it_saved(runs, upkeep, account):
    result = upkeep(engine_of(runs))

    (materialization,) = result.asset_materializations_for_node("lake_upkeep")
    totals = numbers(materialization)
    assert result.success
    assert (totals["data_files"], totals["saved_data_files"]) == (1, 4)
    assert totals["saved_bytes"] > 0
    assert account.rows() == [*((f"{n}", "a") for n in range(5)), ("shared", "v4")]
    (observation,) = result.asset_observations_for_node("lake_upkeep")
    assert observation.asset_key == dg.AssetKey(["salesforce", "account"])
    assert numbers(observation)["data_files"] == 1
    assert numbers(observation)["saved_bytes"] == totals["saved_bytes"]


def test_a_dry_run_measures_and_starts_nothing(upkeep, account):
    before = account.facts.snapshot_id

    result = upkeep({"command": ["/no/such/program"]}, dry_run=True)

    (materialization,) = result.asset_materializations_for_node("lake_upkeep")
    assert result.success
    assert numbers(materialization)["data_files"] == 5
    assert account.facts.snapshot_id == before


@pytest.mark.parametrize("command", [[sys.executable, "-c", "raise SystemExit(3)"], ["/no/such/program"]])
def test_a_job_that_fails_is_a_named_failure(upkeep, command):
    result = upkeep({"command": command})

    (failure,) = [event for event in result.all_node_events if event.is_step_failure]
    assert not result.success
    assert "The upkeep by a command failed" in failure.step_failure_data.user_failure_data.description
    assert "Read the job's log" in failure.step_failure_data.user_failure_data.description


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read as JSON"),
        ("{", "cannot be read as JSON"),
        ("[]", "must have exactly one of the keys applicationId, JobName, command"),
        ("{}", "must have exactly one of the keys"),
        ('{"JobName": "a", "applicationId": "b"}', "must have exactly one of the keys"),
        ('{"applicationId": "<APPLICATION_ID>"}', "still has the placeholder <APPLICATION_ID>"),
        ('{"command": "spark-submit upkeep.py"}', "needs a list of words"),
        ('{"command": []}', "needs a list of words"),
    ],
)
def test_a_file_that_no_engine_can_run_is_refused_by_name(tmp_path, content, message):
    path = tmp_path / "upkeep.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(ConfigError, match=message) as error:
        read_job(path)

    assert "SF_ASSETS_UPKEEP_JOB" in str(error.value)
    assert str(path) in str(error.value)


def test_a_job_without_external_upkeep_is_refused(runs):
    with pytest.raises(ConfigError, match="SF_ASSETS_UPKEEP is not external"):
        _ = runs.under(SF_ASSETS_UPKEEP_JOB="upkeep.json").deployment


def test_the_asset_has_a_weekly_schedule_and_no_job_of_ours_beside_it(runs):
    deployment = runs.under(SF_ASSETS_UPKEEP="external", SF_ASSETS_UPKEEP_JOB="upkeep.json").deployment

    (schedule,) = build_definitions(deployment).schedules

    assert (schedule.name, schedule.cron_schedule) == ("lake_upkeep_schedule", "30 3,15 * * *")
