"""The command line as a whole: help, version, unknown names, ports, homes, Ctrl-C."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import click
import pytest
from click.testing import CliRunner

from sf_assets.cli import main
from sf_assets.commands.practice_changes import sobject_of
from sf_assets.devorg.credentials import new_private_key
from sf_assets.errors import ConfigError

ENDED_SECONDS = 300
"""How long the end of an interrupted command may take on a busy machine."""
ENVIRONMENT = {"SF_ASSETS_DEPLOYMENT": "", "SF_ASSETS_HOME": ""}


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield each command and group with the words that call it."""
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


ALL = dict(commands(main))


def invoke(*words: str, **environment: str):
    return CliRunner().invoke(main, list(words), env={**ENVIRONMENT, **environment})


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_has_help(words: tuple[str, ...]) -> None:
    result = invoke(*words, "--help")

    assert result.exit_code == 0
    assert result.output.startswith("Usage: ")


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_option_has_a_text(words: tuple[str, ...]) -> None:
    options = [parameter for parameter in ALL[words].params if isinstance(parameter, click.Option)]

    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_the_line_in_the_list_of_commands_is_not_cut(words: tuple[str, ...]) -> None:
    assert not ALL[words].get_short_help_str(60).endswith("...")


def test_the_version_is_printed_by_the_command_and_by_the_module() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "sf_assets", "--version"], capture_output=True, text=True, check=True
    )

    assert process.stdout == invoke("--version").output == "sf-assets, version 0.1.0\n"


def test_a_misspelled_command_is_answered_by_the_right_one() -> None:
    result = invoke("plam")

    assert result.exit_code == 2
    assert "No such command: plam. Did you mean plan?" in result.output


def test_an_unknown_command_is_answered_by_all_of_them() -> None:
    assert "There are demo, dev, marts, tables, plan, doctor" in invoke("xyz").output


def test_an_unknown_endpoint_is_answered_by_the_known_ones(tmp_path) -> None:
    result = invoke("plan", "acount", SF_ASSETS_HOME=str(tmp_path))

    assert "no endpoint or group is named acount" in result.output
    assert "Use groups (crm_core, " in result.output
    assert "endpoints (account, contact, " in result.output


@pytest.mark.parametrize(
    ("name", "answer"), [("accounts", "Did you mean account?"), ("xyz", "Choose one of: account, ")]
)
def test_practice_answers_an_unknown_endpoint_by_the_known_ones(name: str, answer: str) -> None:
    with pytest.raises(ConfigError, match=f"no endpoint is named {name}") as refusal:
        sobject_of(name)

    assert answer in refusal.value.remedy


def test_practice_takes_names_of_endpoints_and_of_objects() -> None:
    assert [sobject_of(name) for name in ("sales_order", "Order", "stock__c")] == ["Order", "Order", "stock__c"]


@pytest.fixture
def busy_port() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        (("dev", "--dagit-port"), "--dagit-port"),
        (("marts", "--dagit-port"), "--dagit-port"),
        (("practice", "--port"), "--port"),
    ],
)
def test_a_port_in_use_is_refused_at_once_with_the_flag(words, flag: str, busy_port: int, tmp_path) -> None:
    began = time.monotonic()

    result = invoke(*words, str(busy_port), SF_ASSETS_HOME=str(tmp_path))

    assert result.exit_code == 1
    assert f"port {busy_port} of 127.0.0.1" in result.output
    assert f"Choose another port: {flag} {busy_port + 1}" in result.output
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("command", ["demo", "marts"])
def test_the_practice_orgs_commands_are_refused_in_production(command: str, tmp_path) -> None:
    result = invoke(command, SF_ASSETS_DEPLOYMENT="production", SF_ASSETS_HOME=str(tmp_path))

    assert result.exit_code == 1
    assert "SF_ASSETS_DEPLOYMENT is production" in result.output
    assert "unset SF_ASSETS_DEPLOYMENT" in result.output


@pytest.mark.parametrize("command", ["demo", "dev"])
def test_a_home_that_cannot_be_written_is_one_sentence(command: str, tmp_path) -> None:
    (tmp_path / "file").write_text("")

    result = invoke(command, SF_ASSETS_HOME=str(tmp_path / "file"), DAGSTER_HOME=str(tmp_path / "file"))

    assert result.exit_code == 1
    assert f"the home {tmp_path / 'file'} is a file" in result.output
    assert "Set SF_ASSETS_HOME and DAGSTER_HOME" in result.output


def test_tables_makes_no_folder(tmp_path) -> None:
    result = invoke("tables", SF_ASSETS_HOME=str(tmp_path / "home"))

    assert result.exit_code == 1
    assert "there are no tables yet" in result.output
    assert not (tmp_path / "home").exists()


def test_ctrl_c_ends_a_demo_by_one_sentence(environment, tmp_path, port: int, few) -> None:
    command = [sys.executable, "-m", "sf_assets", "demo", "--port", str(port), *few]
    slow = {**environment, "SALESFORCE_REQUESTS_PER_SECOND": "1", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command,
        env=slow,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        for line in process.stdout:  # the first endpoint is read: the run is on its way
            if "account" in line or "1 " in line:
                break
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        _, errors = process.communicate(timeout=ENDED_SECONDS)

    assert process.returncode == 130, errors
    assert "Stopped. Committed rows stay" in errors
    assert "Traceback" not in errors


def test_all_missing_settings_are_named_at_once(tmp_path) -> None:
    result = invoke("doctor", SF_ASSETS_DEPLOYMENT="production", SF_ASSETS_HOME=str(tmp_path))

    for name in ("INSTANCE_URL", "CONSUMER_KEY", "USERNAME", "PRIVATE_KEY"):
        assert f"SALESFORCE_{name} is not set" in result.output


@pytest.mark.parametrize("command", ["plan", "doctor"])
def test_a_practice_org_that_is_not_running_is_named(sf_assets, port: int, tmp_path: Path, command: str) -> None:
    (tmp_path / "practice").mkdir()
    values = {"consumer_key": "k", "username": "u", "private_key": new_private_key()}
    (tmp_path / "practice" / "credentials.json").write_text(json.dumps(values))

    process = sf_assets(command, SALESFORCE_INSTANCE_URL=f"http://127.0.0.1:{port}")

    assert process.returncode == 1
    output = " ".join((process.stdout + process.stderr).split())
    assert "The practice org is not running. Start it: `sf-assets practice`" in output


def test_another_web_server_is_not_taken_for_the_practice_org(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "practice").mkdir()
    values = {"consumer_key": "k", "username": "u", "private_key": new_private_key()}
    (tmp_path / "practice" / "credentials.json").write_text(json.dumps(values))
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        result = invoke("plan", SALESFORCE_INSTANCE_URL=url, SF_ASSETS_HOME=str(tmp_path))
        server.shutdown()

    assert result.exit_code == 1
    assert "Another program answers at this address, not the practice org." in result.output
