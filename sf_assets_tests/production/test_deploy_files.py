"""deploy/: what can be said of the files without the engines that run them."""

import configparser
import json
import re
from pathlib import Path

import pytest
import yaml

from sf_assets_tests.production.chart import instance

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((DEPLOY / "docker-compose.yaml").read_text(encoding="utf-8"))
INSTANCE = yaml.safe_load((DEPLOY / "dagster.yaml").read_text(encoding="utf-8"))
HELM = yaml.safe_load((DEPLOY / "helm/values.yaml").read_text(encoding="utf-8"))
SEVERAL = {
    name: yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))
    for name in ("several-orgs.compose.yaml", "several-orgs.workspace.yaml", "helm/several-orgs.yaml")
}
ENVIRONMENT = [
    line.partition("=")[0]
    for line in (DEPLOY / "production.env.example").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def test_the_image_runs_as_nobody_in_particular():
    assert DOCKERFILE.splitlines()[-4].startswith("USER 10001")


def test_the_image_installs_hashed_files_alone():
    installs = re.findall(r"pip install (.*?) ?\\?$", DOCKERFILE, flags=re.MULTILINE)

    assert installs == [
        "--no-cache-dir --require-hashes --no-deps -r requirements${MARTS:+-marts}.txt",
        '--no-cache-dir --no-deps --no-build-isolation ".[postgres,docker${MARTS:+,dbt}]"',
    ]


def test_all_that_the_image_copies_is_there_and_let_through():
    patterns = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    sources = [line.split()[1:-1] for line in DOCKERFILE.splitlines() if re.match(r"COPY (?!--from)", line)]

    for source in [name for names in sources for name in names]:
        assert (ROOT / source).exists()
        assert f"!{source}" in patterns


def test_the_image_with_marts_has_the_dbt_project_and_hashed_dbt():
    marts = (DEPLOY / "requirements-marts.txt").read_text(encoding="utf-8")
    plain = (DEPLOY / "requirements.txt").read_text(encoding="utf-8")
    names = {
        name: set(re.findall(r"^([a-z0-9-]+)==", text, flags=re.MULTILINE))
        for name, text in (("marts", marts), ("plain", plain))
    }

    assert "ARG MARTS=" in DOCKERFILE
    assert names["plain"] <= names["marts"]
    assert {"dbt-core", "dbt-duckdb", "dbt-snowflake", "dagster-dbt"} <= names["marts"] - names["plain"]
    assert COMPOSE["services"]["code"]["build"]["args"] == {"MARTS": "${MARTS:-}"}
    assert "SF_ASSETS_DBT_PROJECT=/opt/sf_assets/dbt" in DOCKERFILE


def test_the_extras_of_the_image_are_those_of_the_package():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    (extras,) = re.findall(r'"\.\[([a-z,]+)\$\{MARTS:\+,([a-z]+)\}\]"', DOCKERFILE)

    assert {*extras[0].split(","), extras[1]} <= set(config["options.extras_require"])


@pytest.mark.parametrize("name", ["code", "webserver", "daemon"])
def test_a_container_may_do_little(name):
    service = COMPOSE["services"][name]

    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_a_runs_container_may_do_as_little():
    code, run = COMPOSE["services"]["code"], INSTANCE["run_launcher"]["config"]["container_kwargs"]

    assert {name: run[name] for name in ("read_only", "cap_drop", "security_opt")} == {
        name: code[name] for name in ("read_only", "cap_drop", "security_opt")
    }
    assert [f"{folder}:{mode}" for folder, mode in run["tmpfs"].items()] == code["tmpfs"]


def test_only_the_daemon_starts_containers_and_only_dagit_listens():
    services = COMPOSE["services"]

    assert [name for name, service in services.items() if "docker.sock" in str(service.get("volumes"))] == ["daemon"]
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert ports == {"webserver": ["127.0.0.1:3000:3000"]}


def test_no_file_holds_a_password():
    text = "\n".join(path.read_text(encoding="utf-8") for path in DEPLOY.rglob("*") if path.is_file())

    assert re.findall(r"PASSWORD(?:: +|=)(?![\"']?\$?\{)\S+", text) == []


def test_the_runs_get_the_environment_of_the_code_server():
    passed_on = INSTANCE["run_launcher"]["config"]["env_vars"]

    assert set(ENVIRONMENT) <= set(passed_on)
    assert {"SF_ASSETS_LEDGER", "DAGSTER_PG_PASSWORD"} <= set(passed_on)


def test_kubernetes_and_docker_keep_the_same_limits():
    daemon = HELM["dagsterDaemon"]

    assert instance(HELM)["concurrency"] == INSTANCE["concurrency"]
    assert instance(HELM)["retention"] == INSTANCE["retention"]
    assert daemon["runRetries"]["maxRetries"] == INSTANCE["run_retries"]["max_retries"]
    assert daemon["runRetries"]["retryOnAssetOrOpFailure"] is False
    assert HELM["postgresql"]["postgresqlScheme"] == INSTANCE["storage"]["postgres"]["postgres_db"]["scheme"]
    assert HELM["runLauncher"]["type"] == "K8sRunLauncher"


def test_a_second_orgs_runs_get_the_environment_of_its_code_server():
    service = SEVERAL["several-orgs.compose.yaml"]["services"]["code-emea"]
    environment = dict(service["environment"])

    (context,) = json.loads(environment.pop("DAGSTER_CONTAINER_CONTEXT")).values()

    assert service["extends"] == {"file": "docker-compose.yaml", "service": "code"}
    assert context == {"env_vars": [f"{name}={value}" for name, value in environment.items()]}


def test_both_code_servers_are_in_the_workspace():
    services = SEVERAL["several-orgs.compose.yaml"]["services"]
    entries = [entry["grpc_server"] for entry in SEVERAL["several-orgs.workspace.yaml"]["load_from"]]
    (first,) = yaml.safe_load((DEPLOY / "workspace.yaml").read_text(encoding="utf-8"))["load_from"]

    assert entries[0] == first["grpc_server"]
    assert {entry["host"] for entry in entries} <= {*COMPOSE["services"], *services}
    assert len({entry["location_name"] for entry in entries}) == len(entries)
    for name in ("webserver", "daemon"):
        (volume,) = services[name]["volumes"]
        source, target, _ = volume.split(":")
        assert (DEPLOY / source).exists()
        assert target in COMPOSE["services"][name]["command"]


def test_the_second_deployment_of_helm_differs_in_name_and_org_alone():
    key = "dagster-user-deployments"
    first, second = SEVERAL["helm/several-orgs.yaml"][key]["deployments"]
    names = {one["name"]: one["value"] for one in second["env"]}

    assert [first] == HELM[key]["deployments"]
    assert {**second, "name": first["name"]} == first | {"env": second["env"]}
    assert names == {
        name: value
        for name, value in SEVERAL["several-orgs.compose.yaml"]["services"]["code-emea"]["environment"].items()
        if name != "DAGSTER_CONTAINER_CONTEXT"
    }
