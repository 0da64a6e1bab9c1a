"""A run sets its endpoint's own fields; host, login, catalog, ledger and dbt come from the deployment alone."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import RepositorySnap

from sf_assets.assets.deployments import read_deployment
from sf_assets.assets.fixed_resources import fix_resources
from sf_assets.definitions import build_definitions
from sf_assets.devorg.credentials import new_private_key

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")

KEY = new_private_key()
KEY_LINE = KEY.splitlines()[len(KEY.splitlines()) // 2]
SELECT = ["--select", "key:salesforce/account"]
MODULE = ["-m", "sf_assets.definitions"]


@pytest.fixture
def listener():
    """A listener on loopback: its URL, and how many connections it was offered."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)

        def connections():
            count = 0
            while True:
                try:
                    server.accept()[0].close()
                except BlockingIOError:
                    return count
                count += 1

        yield SimpleNamespace(url=f"http://127.0.0.1:{server.getsockname()[1]}", connections=connections)


@pytest.fixture
def environment(tmp_path):
    """Production with every kind of resource: Salesforce, Iceberg, Snowflake and dbt."""
    (tmp_path / "home").mkdir()
    return {
        "SF_ASSETS_DEPLOYMENT": "production",
        "SF_ASSETS_HOME": str(tmp_path / "home"),
        "DAGSTER_HOME": str(tmp_path / "home"),
        "SALESFORCE_INSTANCE_URL": "127.0.0.1:9",
        "SALESFORCE_CONSUMER_KEY": "3MVG9.consumer",
        "SALESFORCE_USERNAME": "loader@acme.example",
        "SALESFORCE_PRIVATE_KEY": KEY,
    }


SNOWFLAKE = {
    "SNOWFLAKE_ACCOUNT": "acme-org",
    "SNOWFLAKE_USER": "loader",
    "SNOWFLAKE_PRIVATE_KEY": "the-loaders-key",
    "SNOWFLAKE_DATABASE": "RAW",
}


def attacks(url):
    """What a launcher would have to set to send the key away, by resource."""
    key = {"env": "SALESFORCE_PRIVATE_KEY"}
    return {
        "salesforce": {"instance_url": url, "audience": key, "ledger": "sqlite:////tmp/anywhere.db"},
        "iceberg": {"catalog": "other", "properties": {"py-catalog-impl": "os.system"}},
        "io_manager": {"iceberg": {"local_folder": "/tmp/anywhere"}},
        "snowflake": {"account": {"additional_snowflake_connection_args": {"host": url}}, "database": key},
        "dbt": {"dbt_executable": "/tmp/anything", "project_dir": "/tmp"},
    }


def held_by(folder):
    return b"".join(path.read_bytes() for path in Path(folder).rglob("*") if path.is_file())


COMMANDS = {
    "dagster asset materialize": ["-m", "dagster", "asset", "materialize", *SELECT, *MODULE],
    "dagster job execute": ["-m", "dagster", "job", "execute", "-j", "__ASSET_JOB", *MODULE],
    "dagster job launch": ["-m", "dagster", "job", "launch", "-j", "__ASSET_JOB", *MODULE],
    "dg launch": [str(Path(sys.executable).with_name("dg")), "launch", "--assets", "key:salesforce/account", *MODULE],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_run_cannot_send_the_login_to_another_host(command, environment, listener, tmp_path):
    config = {"resources": {"salesforce": {"config": attacks(listener.url)["salesforce"]}}}
    path = tmp_path / "run.yaml"
    path.write_text(json.dumps(config))
    options = ["--config", str(path)] if command == "dagster job execute" else ["--config-json", json.dumps(config)]

    process = subprocess.run(
        [sys.executable, *COMMANDS[command], *options],
        env=os.environ | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert process.returncode != 0
    assert "root:resources:salesforce:config" in process.stdout + process.stderr
    assert listener.connections() == 0
    assert KEY_LINE not in process.stdout + process.stderr
    assert KEY_LINE.encode() not in held_by(environment["SF_ASSETS_HOME"])


def test_no_resource_takes_a_value_from_a_run(environment, listener, monkeypatch):
    for name, value in SNOWFLAKE.items():
        monkeypatch.setenv(name, value)
    definitions = build_definitions(read_deployment(environment | SNOWFLAKE | {"SF_ASSETS_DBT": "1"}))
    job = definitions.resolve_implicit_global_asset_job_def()

    assert set(job.resource_defs) == set(attacks(listener.url))
    for name, config in attacks(listener.url).items():
        for field, value in config.items():
            with pytest.raises(dg.DagsterInvalidConfigError, match=f"root:resources:{name}:config"):
                dg.validate_run_config(job, {"resources": {name: {"config": {field: value}}}})


def test_no_job_takes_a_value_of_a_resource_from_its_launcher(environment, listener):
    repository = build_definitions(read_deployment(environment)).get_repository_def()
    jobs = [
        job for job in repository.get_all_jobs() if "salesforce" in job.resource_defs or "iceberg" in job.resource_defs
    ]

    assert {job.name for job in jobs} == {"__ASSET_JOB", "lake_upkeep", "salesforce_reconcile"}
    for job in jobs:
        for name in set(attacks(listener.url)) & set(job.resource_defs):
            config = {"resources": {name: {"config": attacks(listener.url)[name]}}}
            with pytest.raises(dg.DagsterInvalidConfigError, match=f"root:resources:{name}:config"):
                dg.validate_run_config(job, config)


def test_a_backfill_that_sets_a_resource_makes_no_run(environment, listener):
    job = build_definitions(read_deployment(environment)).resolve_implicit_global_asset_job_def()
    steal = {"resources": {"salesforce": {"config": {"instance_url": listener.url}}}}

    with dg.DagsterInstance.ephemeral() as instance:
        with pytest.raises(dg.DagsterInvalidConfigError, match="root:resources:salesforce:config"):
            instance.create_run_for_job(job, run_config=steal, tags={"dagster/backfill": "b"})
        assert instance.get_runs() == []


def test_a_schedule_or_sensor_cannot_set_a_resource_either(environment, listener):
    definitions = build_definitions(read_deployment(environment))
    steal = {"resources": {"salesforce": {"config": {"instance_url": listener.url}}}}
    request = dg.RunRequest(run_config=steal, asset_selection=[dg.AssetKey(["salesforce", "account"])])
    job = definitions.resolve_implicit_global_asset_job_def()

    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(dg.DagsterInvalidConfigError):
        job.execute_in_process(request.run_config, instance, asset_selection=request.asset_selection)
    assert listener.connections() == 0


@pytest.mark.parametrize("field", ["full_refresh", "since", "until", "confirm_shrink", "adopt_org", "spread_over_days"])
def test_no_field_of_a_run_reads_an_environment_variable(field, environment):
    job = build_definitions(read_deployment(environment)).resolve_implicit_global_asset_job_def()
    config = {"ops": {"salesforce__account": {"config": {field: {"env": "SALESFORCE_PRIVATE_KEY"}}}}}

    with pytest.raises(dg.DagsterInvalidConfigError, match=f"config:{field}"):
        dg.validate_run_config(job, config)


def test_environment_variables_are_still_read_when_a_run_starts(environment, monkeypatch):
    monkeypatch.setenv("SALESFORCE_PRIVATE_KEY", "an older key")
    monkeypatch.setenv("SALESFORCE_CONSUMER_KEY", "3MVG9.consumer")
    monkeypatch.setenv("SALESFORCE_USERNAME", "loader@acme.example")
    deployment = read_deployment(environment)
    keys = []

    @dg.asset(required_resource_keys={"salesforce"})
    def reads(context) -> None:
        keys.append(context.resources.salesforce.credentials.fetch().private_key)

    definitions = dg.Definitions(assets=[reads], resources=fix_resources({"salesforce": deployment.salesforce}))
    monkeypatch.setenv("SALESFORCE_PRIVATE_KEY", KEY)
    definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    )

    assert keys == [KEY.strip()]


def test_the_resource_page_shows_the_deployments_values(environment):
    snapshot = RepositorySnap.from_def(build_definitions(read_deployment(environment)).get_repository_def())
    values = {resource.name: resource.configured_values for resource in snapshot.resources}

    assert values["salesforce"]["instance_url"] == '"127.0.0.1:9"'
    assert values["iceberg"]["catalog"] == '"salesforce"'
    assert KEY_LINE not in dg.serialize_value(snapshot)
