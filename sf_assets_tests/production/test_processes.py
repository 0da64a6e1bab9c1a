"""What deploy/ puts into containers, run here as processes: code server, webserver, daemon and runs on PostgreSQL."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest
import yaml

from sf_assets_tests.production.processes import free_port, until

DEPLOY = Path(__file__).parents[2] / "deploy"
BINARIES = Path(sys.executable).parent
PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR")
LAUNCH = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
LOCATIONS = """{ workspaceOrError { ... on Workspace {
  locationEntries { locationOrLoadError { __typename } } } } }"""
ENDED = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
SETS = (("account", "product"), ("contact", "campaign"), ("opportunity", "pricebook"))
RATE, LATE_SECONDS = 2.0, 0.75


@dataclass
class Deployment:
    """The processes of one deployment, by name."""

    home: Path
    environment: dict[str, str]
    code_port: int = field(default_factory=free_port)
    web_port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    killed_pids: list[int] = field(default_factory=list)

    def start(self, name: str) -> None:
        """Start one of the three; what it says goes into a file."""
        here = ("-h", "127.0.0.1", "-p")
        command = {
            "code": ("dagster", "code-server", "start", "-m", "sf_assets.definitions", *here, str(self.code_port)),
            "webserver": ("dagster-webserver", "-w", "workspace.yaml", *here, str(self.web_port)),
            "daemon": ("dagster-daemon", "run", "-w", "workspace.yaml"),
        }[name]
        with (self.home / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [BINARIES / command[0], *command[1:]],
                env=self.environment,
                cwd=self.home,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """Kill -9 of the one process, not of its children."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()
        self.killed_pids.append(process.pid)

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Ask Dagit."""
        payload = {"query": query, "variables": variables}
        answer = httpx.post(f"http://127.0.0.1:{self.web_port}/graphql", json=payload, timeout=30, trust_env=False)
        return dict(answer.json()["data"])

    def is_loaded(self) -> bool:
        """Whether Dagit knows the code location."""
        try:
            entries = self.ask(LOCATIONS)["workspaceOrError"]["locationEntries"]
        except (httpx.HTTPError, KeyError, TypeError, ValueError):
            return False
        kinds = [(entry["locationOrLoadError"] or {}).get("__typename") for entry in entries]
        return kinds == ["RepositoryLocation"]

    def launch(self, *endpoints: str) -> str:
        """Launch a run of some endpoints, as a person does in Dagit."""
        selector = {
            "repositoryLocationName": "sf_assets",
            "repositoryName": "__repository__",
            "pipelineName": "__ASSET_JOB",
            "assetSelection": [{"path": ["salesforce", endpoint]} for endpoint in endpoints],
        }
        answer = self.ask(LAUNCH, params={"selector": selector, "runConfigData": {}, "mode": "default"})["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["runId"])

    def end(self) -> None:
        """End all, the runs with their code server."""
        for pid in self.killed_pids:  # what a killed code server had started lives on
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@pytest.fixture
def deployment(postgres: Any, practice_org: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The deployment of deploy/ without its containers; its instance is read by the test as well."""
    ledger, catalog = postgres.create("ledger"), postgres.create("lake")
    postgres.create("dagster")
    postgres_settings = {"HOST": "127.0.0.1", "PORT": str(postgres.port), "DB": "dagster"}
    postgres_settings |= {"USERNAME": "sf_assets", "PASSWORD": "-"}
    environment = {
        **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
        **{f"DAGSTER_PG_{name}": value for name, value in postgres_settings.items()},
        **{f"SALESFORCE_{name.upper()}": value for name, value in practice_org.credentials.items()},
        "DAGSTER_HOME": str(tmp_path),
        "SF_ASSETS_DEPLOYMENT": "production",
        "SF_ASSETS_LEDGER": ledger,
        "SF_ASSETS_ENDPOINTS": "organization",  # automated; all others are launched here
        "SALESFORCE_INSTANCE_URL": practice_org.url,
        "SALESFORCE_REQUESTS_PER_SECOND": str(RATE),
        "PYICEBERG_CATALOG__SALESFORCE__TYPE": "sql",
        "PYICEBERG_CATALOG__SALESFORCE__URI": catalog,
        "PYICEBERG_CATALOG__SALESFORCE__WAREHOUSE": f"file://{tmp_path}/lake",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name in ("DAGSTER_PG_HOST", "DAGSTER_PG_PORT", "DAGSTER_PG_USERNAME", "DAGSTER_PG_PASSWORD", "DAGSTER_PG_DB"):
        monkeypatch.setenv(name, environment[name])
    running = Deployment(tmp_path, environment)
    _configure(running)
    yield running
    running.end()


def _configure(running: Deployment) -> None:
    """The files of deploy/, less what containers need, with monitoring that a test can wait for."""
    instance = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())
    instance.pop("run_launcher")
    instance["run_monitoring"] |= {"poll_interval_seconds": 2, "free_slots_after_run_end_seconds": 1}
    (running.home / "dagster.yaml").write_text(yaml.safe_dump(instance))
    workspace = yaml.safe_load((DEPLOY / "workspace.yaml").read_text())
    workspace["load_from"][0]["grpc_server"] |= {"host": "127.0.0.1", "port": running.code_port}
    (running.home / "workspace.yaml").write_text(yaml.safe_dump(workspace))


def pid_of(instance: dg.DagsterInstance, run_id: str) -> int | None:
    """The process of a run, as it has payload the event log itself."""
    for entry in instance.all_logs(run_id):
        if match := re.search(r"[Ss]tarted process for run \(pid: (\d+)\)", entry.message or entry.user_message):
            return int(match[1])
    return None


@pytest.mark.alone
def test_three_runs_keep_one_pace_and_survive_the_death_of_all_that_runs(deployment, practice_org):
    deployment.start("code")
    with dg.DagsterInstance.from_config(str(deployment.home)) as instance:  # makes the tables, alone
        deployment.start("webserver")
        deployment.start("daemon")
        until(deployment.is_loaded)
        practice_org.forget_requests()
        run_ids = [deployment.launch(*endpoints) for endpoints in SETS]

        victim = until(lambda: pid_of(instance, run_ids[0]))
        until(lambda: len(practice_org.requests) > 4)
        os.kill(victim, signal.SIGKILL)
        until(lambda: _has_begun(instance, parent=run_ids[0]))
        deployment.kill("daemon")
        deployment.kill("code")
        deployment.start("code")
        deployment.start("daemon")
        until(lambda: _all_ended(instance), seconds=90)
        runs = instance.get_runs()

    ids_of_retried_runs = {
        run.parent_run_id for run in runs if run.parent_run_id and run.status == dg.DagsterRunStatus.SUCCESS
    }
    ids_of_good_runs = {run.run_id for run in runs if run.status == dg.DagsterRunStatus.SUCCESS}
    assert run_ids[0] in ids_of_retried_runs
    assert set(run_ids) <= ids_of_good_runs | ids_of_retried_runs
    _assert_one_pace(sorted(request.at for request in practice_org.requests))
    _assert_tables(deployment, practice_org)


def _has_begun(instance: dg.DagsterInstance, *, parent: str) -> bool:
    """Whether the daemon's retry of a run is under way: Dagster may forget one that was not launched yet."""
    active = {dg.DagsterRunStatus.STARTED, *ENDED}
    return any(run.parent_run_id == parent and run.status in active for run in instance.get_runs())


def _all_ended(instance: dg.DagsterInstance) -> bool:
    """No run is under way, and each that has failed has had its retry."""
    runs = instance.get_runs()
    parents = {run.parent_run_id for run in runs}
    failures = [run for run in runs if run.status == dg.DagsterRunStatus.FAILURE and run.parent_run_id is None]
    return all(run.status in ENDED for run in runs) and all(run.run_id in parents for run in failures)


def _assert_one_pace(times: list[datetime]) -> None:
    """All processes together sent two requests a second; one may come late by LATE_SECONDS, and the next on time."""
    assert len(times) >= 12
    for first, at in enumerate(times):
        for number, later in enumerate(times[first + 1 :], start=1):
            assert (later - at).total_seconds() >= number / RATE - LATE_SECONDS


def _assert_tables(deployment: Deployment, practice_org: Any) -> None:
    """Every row of the org is in its table, once."""
    from sf_assets.iceberg.tables import IcebergTables
    from sf_assets.specs.endpoints import endpoints

    names = ("TYPE", "URI", "WAREHOUSE")
    payload = {name.lower(): deployment.environment[f"PYICEBERG_CATALOG__SALESFORCE__{name}"] for name in names}
    warehouse = IcebergTables("salesforce", "salesforce", payload)
    sobjects = {spec.endpoint: spec.sobject for spec in endpoints()}
    for endpoint in [name for names in SETS for name in names]:
        ids = sorted(warehouse.scan(endpoint).select("id").collect()["id"].to_list())
        assert ids == sorted(row["Id"] for row in practice_org.org.rows(sobjects[endpoint], deleted=True)), endpoint
