"""Two orgs as two code locations of one Dagster: processes, workspace and instance of deploy/, on SQLite."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import dagster as dg
import httpx
import pytest
import sqlalchemy as sa
import yaml

from sf_assets.assets.deployments import read_deployment
from sf_assets.devorg import sample_org, serve
from sf_assets_tests.production.processes import free_ports, until

DEPLOY = Path(__file__).parents[2] / "deploy"
BINARIES = Path(sys.executable).parent
PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR")
ENDPOINTS = {"product": "Product2", "pricebook": "Pricebook2"}
"""Automated in both locations, in one cadence: one sensor each, which fills what is missing at its first tick."""
SENSORS = {"sf_assets": "salesforce_six_hours", "emea": "salesforce_emea_six_hours"}
CONTEXT = {"docker": {"env_vars": ["SF_ASSETS_ORG=emea"]}}
PORT = ("-h", "127.0.0.1", "-p")
LOADED = """{ workspaceOrError { ... on Workspace { locationEntries {
  name locationOrLoadError { ... on RepositoryLocation { repositories {
    assetNodes { assetKey { path } } sensors { name sensorState { status } } } } } } } } }"""
COLLIDING = (
    """query($keys: [AssetKeyInput!]!) { assetNodeDefinitionCollisions(assetKeys: $keys) { assetKey { path } } }"""
)
NO_COLLISION = {"assetNodeDefinitionCollisions": []}
TICKED = """query($selector: SensorSelector!) { sensorOrError(sensorSelector: $selector) { ... on Sensor {
  sensorState { ticks { status runIds } } } } }"""


class TwoLocations:
    """One Dagster over two code servers, which differ in their environment alone."""

    def __init__(self, home, environments):
        self.home, self.environments, self.processes = home, environments, []
        self.ports = dict(zip([*environments, "webserver"], free_ports(len(environments) + 1), strict=True))
        instance = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())
        for elsewhere in ("storage", "run_launcher"):  # PostgreSQL, and a container per run
            instance.pop(elsewhere)
        instance["run_coordinator"]["config"] = {"dequeue_interval_seconds": 1}
        (home / "dagster.yaml").write_text(yaml.safe_dump(instance))
        workspace = yaml.safe_load((DEPLOY / "several-orgs.workspace.yaml").read_text())
        for server in (entry["grpc_server"] for entry in workspace["load_from"]):
            server |= {"host": "127.0.0.1", "port": self.ports[server["location_name"]]}
        (home / "workspace.yaml").write_text(yaml.safe_dump(workspace))

    def start(self, name, *command, **environment):
        """Start a process; what it says goes into a file."""
        settings = {word: os.environ[word] for word in PASSED_ON if word in os.environ}
        settings |= {"DAGSTER_HOME": str(self.home), "PYTHONWARNINGS": "ignore", **environment}
        with (self.home / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [BINARIES / command[0], *command[1:]], env=settings, cwd=self.home, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)

    def start_all(self):
        for name, environment in self.environments.items():
            code = ("dagster", "code-server", "start", "-m", "sf_assets.definitions", *PORT, str(self.ports[name]))
            self.start(name, *code, **environment)
        self.start("webserver", "dagster-webserver", "-w", "workspace.yaml", *PORT, str(self.ports["webserver"]))
        self.locations = until(self.read_locations)
        self.start("daemon", "dagster-daemon", "run", "-w", "workspace.yaml")

    def ask(self, query, **variables):
        """Ask Dagit."""
        url = f"http://127.0.0.1:{self.ports['webserver']}/graphql"
        answer = httpx.post(url, json={"query": query, "variables": variables}, timeout=30, trust_env=False)
        return answer.json()["data"]

    def ticks(self, name):
        """What the sensor of a location has done so far."""
        repository = {"repositoryName": "__repository__", "repositoryLocationName": name}
        settings = self.ask(TICKED, selector=repository | {"sensorName": SENSORS[name]})
        return settings["sensorOrError"]["sensorState"]["ticks"]

    def read_locations(self):
        """What Dagit shows of each location, once it has loaded both."""
        try:
            entries = self.ask(LOADED)["workspaceOrError"]["locationEntries"]
            repositories = {entry["name"]: entry["locationOrLoadError"]["repositories"][0] for entry in entries}
        except (httpx.HTTPError, KeyError, TypeError, ValueError):
            return None
        return repositories if set(repositories) == set(self.environments) else None

    def end(self):
        """Kill all, the runs with their code server: nothing of it is needed any more."""
        for process in self.processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def orgs(practice_org):
    """Location -> its org."""
    with serve(sample_org(seed=8, rows={"Product2": 7})) as emea:
        yield {"sf_assets": practice_org, "emea": emea}


@pytest.fixture
def environments(orgs, tmp_path):
    """Location -> its environment, the practice orgs' keys beside each other under one home."""
    common = {"SF_ASSETS_HOME": str(tmp_path), "SF_ASSETS_ENDPOINTS": ",".join(ENDPOINTS)}
    settings = {name: common | {"SALESFORCE_INSTANCE_URL": org.url} for name, org in orgs.items()}
    settings["emea"] |= {"SF_ASSETS_ORG": "emea", "DAGSTER_CONTAINER_CONTEXT": json.dumps(CONTEXT)}
    for name, environment in settings.items():
        folder = read_deployment(environment).practice
        folder.mkdir()
        (folder / "credentials.json").write_text(json.dumps(orgs[name].credentials))
    return settings


@pytest.fixture
def dagster(environments, tmp_path):
    running = TwoLocations(tmp_path, environments)
    yield running
    running.end()


def test_two_orgs_live_side_by_side_in_one_dagster(dagster, orgs, environments, tmp_path):
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:  # makes its tables, alone
        dagster.start_all()
        runs = until(lambda: all_ended(instance, count=len(orgs)))
        ticks = {name: dagster.ticks(name) for name in orgs}

    assert_each_location_ran_by_itself(runs, ticks)
    assert_no_key_is_in_both(dagster)
    for name, server in orgs.items():
        warehouse = read_deployment(environments[name]).iceberg.tables()
        for endpoint, sobject in ENDPOINTS.items():
            ids = sorted(warehouse.scan(endpoint).collect()["id"])
            assert ids == sorted(row["Id"] for row in server.org.rows(sobject, deleted=True)), (name, endpoint)
    with sa.create_engine(f"sqlite:///{tmp_path}/ledger.db").connect() as ledger:
        books = set(ledger.execute(sa.text("SELECT org FROM sf_assets_ledger")).scalars())
    assert books == {server.url.removeprefix("http://") for server in orgs.values()}


def all_ended(instance, *, count):
    runs = instance.get_runs()
    return runs if len(runs) >= count and all(run.is_finished for run in runs) else None


def assert_each_location_ran_by_itself(runs, ticks):
    """One run each, asked for by its own sensor, in an environment of its own."""
    of = {run.tags["dagster/code_location"]: run for run in runs}

    assert len(runs) == len(of) == len(SENSORS)
    assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS}
    for name, sensor in SENSORS.items():
        assert of[name].tags["dagster/sensor_name"] == sensor
        assert {"status": "SUCCESS", "runIds": [of[name].run_id]} in ticks[name]
    contexts = {name: run.job_code_origin.repository_origin.container_context for name, run in of.items()}
    assert contexts == {"sf_assets": {}, "emea": CONTEXT}
    pools = [run.run_op_concurrency.all_pools for run in runs]
    assert not set.intersection(*map(set, pools))
    assert [len(names) for names in pools] == [len(ENDPOINTS)] * 2


def assert_no_key_is_in_both(dagster):
    """Neither in what the locations tell nor in the eyes of Dagit, which is the one that would mix them up."""
    nodes = {
        name: [node["assetKey"] for node in settings["assetNodes"]] for name, settings in dagster.locations.items()
    }
    first, second = ({tuple(key["path"]) for key in keys} for keys in nodes.values())
    sensors = {
        name: {one["name"]: one["sensorState"]["status"] for one in dagster.locations[name]["sensors"]}
        for name in nodes
    }

    assert len(first) == len(second) == 31
    assert not first & second
    assert dagster.ask(COLLIDING, keys=[key for keys in nodes.values() for key in keys]) == NO_COLLISION
    assert sensors == {name: {sensor: "RUNNING"} for name, sensor in SENSORS.items()}
