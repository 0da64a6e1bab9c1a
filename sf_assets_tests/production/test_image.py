"""The image of deploy/Dockerfile, and deploy/docker-compose.yaml with it: built, started, and a run that fills tables.

`make test-image`: minutes, root, and Debian's packages, which the first lines of a failure name.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from sf_assets.devorg.credentials import CONSUMER_KEY
from sf_assets.devorg.sample import sample_org
from sf_assets.iceberg.tables import IcebergTables
from sf_assets_tests.production.engine import GROUP, PACKAGES, PYTHON, ROOT, Engine, as_lines, missing
from sf_assets_tests.production.processes import until

pytestmark = pytest.mark.image
DEPLOY = ROOT / "deploy"
USER = 10_001
PASSWORD = "0123456789abcdef"
ORG = "http://127.0.0.1:8630"
FILES = ("docker-compose.yaml", "practice.compose.yaml")
CREDENTIALS = {
    "SALESFORCE_CONSUMER_KEY": CONSUMER_KEY,
    "SALESFORCE_PRIVATE_KEY_FILE": "/org/key.pem",
}
LAUNCH = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
STATUS = """query($id: ID!) { runOrError(runId: $id) { ... on Run { status } }
  logsForRun(runId: $id) { ... on EventConnection { events { ... on MessageEvent { message } } } } }"""
LOADED = "{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError { __typename } } } } }"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """The engine, with the image `sf_assets` in it."""
    if os.geteuid() != 0 or missing():
        pytest.fail(f"needs root and: apt-get install --no-install-recommends {' '.join(PACKAGES)}", pytrace=False)
    one = Engine()
    try:
        one.bases()
        one.build(ROOT, file="deploy/Dockerfile", tag="sf_assets")
        yield one
    finally:
        one.end()


@pytest.fixture(scope="module")
def compose_engine(engine: Engine) -> Engine:
    """The compose file as it is; the runs' containers share a network with the practice org, which is on loopback."""
    folder, lake, org = (engine.folder / name for name in ("deploy", "lake", "org"))
    folder.mkdir()
    for one in (lake, org):
        one.mkdir()
        os.chown(one, USER, USER)
    shutil.copy(DEPLOY / "docker-compose.yaml", folder)
    values = {"DAGSTER_PG_PASSWORD": PASSWORD, "DOCKER_GROUP_ID": str(GROUP), "DOCKER_SOCKET": str(engine.socket)}
    (folder / ".env").write_text(as_lines(values))
    (folder / "production.env").write_text(as_lines(environment(lake)))
    (folder / "dagster.yaml").write_text(yaml.safe_dump(instance(lake, org)))
    volumes = {"volumes": ["./dagster.yaml:/etc/sf_assets/dagster.yaml:ro"]}
    (folder / FILES[1]).write_text(
        yaml.safe_dump({"services": dict.fromkeys(("code", "webserver", "daemon"), volumes)})
    )
    engine.serve()
    engine.compose(folder, FILES, "up", "-d")
    command = ("python", "-m", "sf_assets.devorg", "--home", "/org", "--rows", "account=40", "contact=60")
    engine.podman("run", "-d", "--name=practice", "--network=sf_assets", f"-v={org}:/org", "sf_assets", *command)
    until(lambda: "export" in engine.podman("logs", "practice"))
    return engine


def environment(lake: Path) -> dict[str, str]:
    """production.env.example, with the practice org and a catalog on PostgreSQL in place of AWS."""
    lines = (DEPLOY / "production.env.example").read_text(encoding="utf-8").splitlines()
    example = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    example.pop("SALESFORCE_SECRET_ID")
    catalog = {
        "TYPE": "sql",
        "URI": f"postgresql+psycopg2://dagster:{PASSWORD}@postgres:5432/dagster",
        "WAREHOUSE": f"file://{lake}",
    }
    ours = {f"PYICEBERG_CATALOG__SALESFORCE__{name}": value for name, value in catalog.items()}
    return {**example, **ours, **CREDENTIALS, "SALESFORCE_USERNAME": username(), "SALESFORCE_INSTANCE_URL": ORG}


def username() -> str:
    return str(sample_org(seed=7, rows={"Account": 1}).user["Username"])


def instance(lake: Path, org: Path) -> dict[str, Any]:
    """deploy/dagster.yaml; the runs are in the practice org's network, and see its key and the lake."""
    instance = yaml.safe_load((DEPLOY / "dagster.yaml").read_text(encoding="utf-8"))
    launcher = instance["run_launcher"]["config"]
    launcher["network"] = "container:practice"
    launcher["env_vars"].remove("SALESFORCE_SECRET_ID")
    launcher["env_vars"] += [*CREDENTIALS, "SALESFORCE_USERNAME", "PYICEBERG_CATALOG__SALESFORCE__URI"]
    launcher["container_kwargs"]["volumes"] = [f"{lake}:{lake}", f"{org}:/org:ro"]
    return dict(instance)


def ask(query: str, **variables: Any) -> dict[str, Any]:
    """Ask Dagit, on the port that the compose file publishes."""
    payload = {"query": query, "variables": variables}
    answer = httpx.post("http://127.0.0.1:3000/graphql", json=payload, timeout=30, trust_env=False)
    return dict(answer.json()["data"])


def in_image(engine: Engine, script: str) -> list[str]:
    """What a shell in the image says, as root that may look everywhere."""
    return engine.podman("run", "--rm", "--user=0", "--network=none", "sf_assets", "sh", "-c", script).splitlines()


def test_the_image_runs_as_its_user_and_is_not_larger_than_it_says(engine):
    (image,), (base,) = (json.loads(engine.podman("image", "inspect", name)) for name in ("sf_assets", PYTHON))

    assert image["Config"]["User"] == str(USER)
    assert set(image["Config"]["ExposedPorts"]) == {"4000/tcp", "3000/tcp"}
    assert image["Size"] - base["Size"] < 900e6


def test_nothing_is_in_the_image_but_what_it_runs(engine):
    secret = "\\( -name '*.env' -o -name '*.key' -o -name .git -o -name pip.conf \\)"

    assert in_image(engine, "ls -A /etc/sf_assets") == ["dagster.yaml", "workspace.yaml"]
    assert in_image(engine, f"find /etc /dagster /home /opt -size +0 {secret}") == []
    assert (
        in_image(engine, "find / -xdev -path /proc -prune -o \\( -name .cache -o -name sf_assets_tests \\) -print")
        == []
    )
    assert in_image(engine, "pip check") == ["No broken requirements found."]


def test_its_user_can_change_nothing_of_what_it_runs(engine):
    writable = f"find /opt /etc /usr -xdev \\( -uid {USER} -o -gid {USER} -o -perm -o+w \\) ! -type l"

    assert in_image(engine, writable) == []
    assert in_image(engine, "id sf_assets") == [f"uid={USER}(sf_assets) gid={USER}(sf_assets) groups={USER}(sf_assets)"]


def test_all_of_the_compose_file_becomes_healthy(compose_engine):
    for name in ("postgres", "code", "webserver", "daemon"):
        until(lambda name=name: compose_engine.is_healthy(f"deploy_{name}_1"))
    entries = until(lambda: ask(LOADED)["workspaceOrError"]["locationEntries"])

    assert entries == [{"locationOrLoadError": {"__typename": "RepositoryLocation"}}]


def test_a_container_cannot_gain_rights_or_write_outside_its_folders(compose_engine):
    writes_elsewhere = "for f in / /etc /opt/sf_assets /dagster; do touch $f/x 2>/dev/null && echo $f; done; "
    writes_in_own_folders = "for f in /tmp /home/sf_assets /dagster/storage; do touch $f/x || echo $f; done; "
    rights = "grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status | tr -s '\\t' ' '"

    for name in ("code", "webserver", "daemon"):
        messages = compose_engine.podman(
            "exec", f"deploy_{name}_1", "sh", "-c", writes_elsewhere + writes_in_own_folders + rights
        )

        assert set(messages.splitlines()) == {f"CapEff: {0:016x}", f"CapBnd: {0:016x}", "NoNewPrivs: 1"}


def test_a_run_that_dagit_launches_fills_the_tables_in_a_container(compose_engine):
    until(lambda: compose_engine.is_healthy("deploy_daemon_1"))
    selector = {
        "repositoryLocationName": "sf_assets",
        "repositoryName": "__repository__",
        "pipelineName": "__ASSET_JOB",
        "assetSelection": [{"path": ["salesforce", endpoint]} for endpoint in ("account", "contact")],
    }

    launch = ask(LAUNCH, params={"selector": selector, "runConfigData": {}, "mode": "default"})["launchRun"]
    answer = until(lambda: finished_run(launch["run"]["runId"]), seconds=180)

    messages = [event["message"] for event in answer["logsForRun"]["events"] if event.get("message")]
    assert answer["runOrError"]["status"] == "SUCCESS", "\n".join(messages)
    assert any("Launching run in a new container" in message for message in messages)
    assert rows(compose_engine) == {"account": 40, "contact": 60}
    until(lambda: len(compose_engine.podman("ps", "--all", "--quiet").split()) == 5)  # the run's container is removed


def finished_run(run_id: str) -> dict[str, Any] | None:
    answer = ask(STATUS, id=run_id)
    return answer if answer["runOrError"]["status"] in ("SUCCESS", "FAILURE", "CANCELED") else None


def rows(engine: Engine) -> dict[str, int]:
    """The tables' rows, read on this machine from the files that the run has written."""
    network = '{{(index .NetworkSettings.Networks "sf_assets").IPAddress}}'
    address = engine.podman("inspect", "deploy_postgres_1", "--format", network)
    lake = f"file://{engine.folder / 'lake'}"
    uri = f"postgresql+psycopg2://dagster:{PASSWORD}@{address}:5432/dagster"
    warehouse = IcebergTables("salesforce", "salesforce", {"type": "sql", "uri": uri, "warehouse": lake})
    return {name: warehouse.scan(name).select("id").collect()["id"].n_unique() for name in ("account", "contact")}
