"""The door: light to open, and what stands behind it."""

import json
import os
import subprocess
import sys

import dagster as dg
import pytest

from sf_assets.assets.deployments import read_deployment
from sf_assets.assets.freshness import KEEP_FRESH, KEEP_FRESH_ONCE_FILLED
from sf_assets.definitions import build_definitions

HEAVY = (
    "boto3",
    "dagster_aws",
    "dagster_dbt",
    "dagster_snowflake",
    "httpx",
    "jwt",
    "msgspec",
    "polars",
    "pyarrow",
    "pyiceberg",
    "sqlalchemy",
)
PRODUCTION = {
    "SF_ASSETS_DEPLOYMENT": "production",
    "SALESFORCE_INSTANCE_URL": "acme.my.salesforce.com",
    "SALESFORCE_CONSUMER_KEY": "k",
    "SALESFORCE_PRIVATE_KEY": "p",
    "SALESFORCE_USERNAME": "u",
}


def definitions(env=None):
    return build_definitions(read_deployment(env or {}))


def specs(env=None):
    all_specs = definitions(env).resolve_all_asset_specs()
    return {spec.key.path[-1]: spec for spec in all_specs if spec.key.path[0] == "salesforce"}


def test_loading_the_definitions_imports_nothing_that_only_a_run_needs():
    program = f"import sys, sf_assets.definitions; print(*(name for name in {HEAVY} if name in sys.modules))"

    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert process.stdout.strip() == ""


def test_all_steps_run_in_one_process():
    assert definitions().executor is dg.in_process_executor


@pytest.mark.parametrize(("env", "condition"), [({}, KEEP_FRESH), (PRODUCTION, KEEP_FRESH_ONCE_FILLED)])
def test_every_endpoint_stays_fresh_and_only_practice_fills_missing_tables(env, condition):
    by_name = specs(env)

    assert len(by_name) == 30
    assert all(spec.automation_condition == condition and spec.freshness_policy for spec in by_name.values())


def test_an_endpoint_that_is_not_chosen_is_an_asset_without_automation():
    by_name = specs({"SF_ASSETS_ENDPOINTS": "task"})

    assert by_name["task"].automation_condition is not None
    assert by_name["event"].automation_condition is None
    assert by_name["event"].freshness_policy is None


def test_a_changed_cadence_changes_policy_and_sensor():
    env = {"SF_ASSETS_CADENCES": "all=minutely"}

    assert [sensor.name for sensor in definitions(env).sensors] == ["salesforce_minutely"]
    assert specs(env)["account"].freshness_policy.fail_window.seconds == 240


def test_the_definitions_hold_together():
    dg.Definitions.validate_loadable(definitions())


def sensor_statuses(env):
    return {sensor.default_status for sensor in definitions(env).sensors or ()}


def test_without_a_practice_org_nothing_runs_by_itself_and_dagit_says_why(tmp_path):
    sensors = definitions({"SF_ASSETS_HOME": str(tmp_path)}).sensors

    assert {sensor.default_status for sensor in sensors} == {dg.DefaultSensorStatus.STOPPED}
    assert all("Use `make dev`" in sensor.description for sensor in sensors)


def test_a_served_practice_org_is_read_by_itself(tmp_path):
    (tmp_path / "practice").mkdir()
    (tmp_path / "practice/server.json").write_text(json.dumps({"port": 8630, "pid": os.getpid()}))

    assert sensor_statuses({"SF_ASSETS_HOME": str(tmp_path)}) == {dg.DefaultSensorStatus.RUNNING}
    assert sensor_statuses({"SALESFORCE_INSTANCE_URL": "http://127.0.0.1:8631"}) == {dg.DefaultSensorStatus.RUNNING}
    assert sensor_statuses(PRODUCTION) == {dg.DefaultSensorStatus.RUNNING}


def test_an_error_at_load_says_what_to_do(tmp_path):
    (tmp_path / "endpoints.toml").write_text('[override.acount]\ncadence = "daily"\n')
    environment = {**os.environ, "SF_ASSETS_SPECS": str(tmp_path)}

    process = subprocess.run(
        [sys.executable, "-c", "import sf_assets.definitions"], env=environment, capture_output=True, text=True
    )

    assert "endpoints.toml: override has an unknown endpoint acount" in process.stderr
    assert "What to do: Use one of account, contact" in process.stderr


@pytest.mark.parametrize(("variables", "name"), [({}, "salesforce.task"), ({"SF_ASSETS_NAMESPACE": "crm"}, "crm.task")])
def test_an_assets_page_has_table_and_query_before_the_first_run(variables: dict[str, str], name: str) -> None:
    task = specs(variables)["task"]

    assert task.metadata["dagster/table_name"] == name
    assert task.metadata["query"].value.startswith("```sql\nSELECT\n")
