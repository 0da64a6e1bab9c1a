"""deploy/docker-compose.yaml, read by Compose itself: no daemon is asked."""

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
FILES = ("docker-compose.yaml", "several-orgs.compose.yaml", "several-orgs.workspace.yaml")
VALUES = {"DAGSTER_PG_PASSWORD": "0123456789abcdef", "DOCKER_GROUP_ID": "998", "SF_ASSETS_IMAGE": "sf_assets"}


@cache
def compose() -> list[str]:
    """Return the command of this machine; a test without one is skipped."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if not shutil.which(command[0]):
            continue
        if subprocess.run([*command, "version"], capture_output=True, check=False, timeout=30).returncode == 0:
            return command
    pytest.skip("no Compose here: Docker's plugin, or apt-get install --no-install-recommends docker-compose")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files as an operator has them, both examples copied and filled in as their comments say."""
    for name in FILES:
        shutil.copy(DEPLOY / name, tmp_path)
    lines = (DEPLOY / ".env.example").read_text(encoding="utf-8").splitlines()
    lines_filled_in = [
        f"{name}={VALUES.get(name, value)}"
        for name, _, value in (line.partition("=") for line in lines)
        if value or name in VALUES
    ]
    (tmp_path / ".env").write_text("\n".join(lines_filled_in), encoding="utf-8")
    shutil.copy(DEPLOY / "production.env.example", tmp_path / "production.env")
    return tmp_path


def run_compose(folder: Path, *arguments: str, status: int = 0) -> str:
    """What Compose says to the arguments, in the operator's folder."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [*compose(), *arguments]
    answer = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert (answer.returncode == 0) == (status == 0), answer.stderr
    return answer.stdout if status == 0 else answer.stderr


def services(folder: Path, *files: str) -> dict[str, Any]:
    file_options = [argument for file in files for argument in ("-f", file)]
    return dict(yaml.safe_load(run_compose(folder, *file_options, "config"))["services"])


def test_compose_takes_the_file_with_the_two_copies_beside_it(folder):
    read = services(folder, "docker-compose.yaml")

    assert set(read) == {"postgres", "code", "webserver", "daemon"}
    assert read["code"]["environment"]["SALESFORCE_INSTANCE_URL"] == "acme.my.salesforce.com"
    assert VALUES["DAGSTER_PG_PASSWORD"] in read["daemon"]["environment"]["SF_ASSETS_LEDGER"]
    assert read["daemon"]["group_add"] == ["998"]


def test_all_that_a_container_is_told_to_wait_for_says_when_it_is_healthy(folder):
    read = services(folder, "docker-compose.yaml")

    dependencies = {name: set(service.get("depends_on", {})) for name, service in read.items()}
    assert dependencies == {
        "postgres": set(),
        "code": set(),
        "webserver": {"postgres", "code"},
        "daemon": {"postgres", "webserver"},
    }
    assert all("healthcheck" in service for service in read.values())


def test_compose_takes_a_second_org_beside_the_first(folder):
    read = services(folder, "docker-compose.yaml", "several-orgs.compose.yaml")

    context = json.loads(read["code-emea"]["environment"]["DAGSTER_CONTAINER_CONTEXT"])
    assert "SF_ASSETS_ORG=emea" in context["docker"]["env_vars"]
    assert {"code", "code-emea"} <= set(read["webserver"]["depends_on"])


def test_without_a_password_compose_names_what_is_missing(folder):
    (folder / ".env").write_text("", encoding="utf-8")

    assert "DAGSTER_PG_PASSWORD" in run_compose(folder, "-f", "docker-compose.yaml", "config", status=1)
