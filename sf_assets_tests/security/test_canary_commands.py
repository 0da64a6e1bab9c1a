"""Every command of `sf-assets` against an org that quotes all secrets in every encoding: they are left nowhere."""

import logging
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import pytest
from click.testing import CliRunner
from pyiceberg.utils.config import Config

from sf_assets.cli import main
from sf_assets.devorg import serve
from sf_assets.devorg.credentials import new_private_key
from sf_assets_tests.canary import ENCODINGS, Echo, KnownSessions, files_of, is_visible
from sf_assets_tests.commands.test_command_line import ALL

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")

ARGUMENTS = {
    "demo": [],
    "dev": ["--dagit-port", "{used_port}"],
    "marts": [],
    "tables": [],
    "plan": ["account"],
    "doctor": ["account"],
    "prove": ["--salesforce", "account", "--yes", "--report", "{home}/prove.json"],
    "endpoint": [],
    "endpoint add": ["Account", "--name", "company", "--folder", "{home}/specs"],
    "endpoint diff": ["account"],
    "sources": ["--project", "{home}/dbt"],
    "sweep": [],
    "reconcile": ["account"],
    "drift": [],
    "repair": ["--deep"],
    "erase-columns": ["account", "Fax", "--yes"],
    "setup": [],
    "setup aws": [],
    "setup snowflake": [],
    "setup salesforce": ["--endpoints", "account"],
    "setup upkeep": ["--engine", "spark"],
    "practice": ["--home", "{home}/practice", "--port", "{used_port}"],
    "practice change": ["account", "Name=x", "--home", "{home}/practice"],
    "practice break": ["account", "--hide-column", "Phone", "--home", "{home}/practice"],
    "practice fix": ["--home", "{home}/practice"],
}
"""Command -> its arguments. Those that serve (demo, dev, marts, practice) are refused here."""
BEGIN = "a quotation begins"


@dataclass(frozen=True)
class Sweep:
    """A deployment with canaries, and its org, which quotes them."""

    org: object
    secrets: dict[str, str]
    home: Path
    used_port: int
    encodings: Iterator[str] = field(default_factory=lambda: cycle(ENCODINGS))

    def quotation(self) -> str:
        """All secrets in the next encoding."""
        encode = ENCODINGS[next(self.encodings)]
        secrets = {**self.secrets, **{f"token {n}": token for n, token in enumerate(self.org.sessions.tokens[-1:])}}
        return " | ".join([BEGIN, *map(encode, secrets.values())])

    def run(self, command: str) -> str:
        """Run a command and return its output."""
        arguments = [text.format(home=self.home, used_port=self.used_port) for text in ARGUMENTS[command]]
        return CliRunner().invoke(main, [*command.split(), *arguments]).output

    def traces(self, outputs: dict[str, str], log: str) -> dict[str, str]:
        """Everything that the commands have left, by its place."""
        files = {name: content.decode("utf-8", "replace") for name, content in files_of(self.home)}
        return {**outputs, "log": log, **files}

    def visible(self, traces: dict[str, str]) -> list[tuple[str, str, str]]:
        """Where a secret is visible, with its name and encoding."""
        secrets = {**self.secrets, **{f"token {n}": token for n, token in enumerate(self.org.sessions.tokens)}}
        return [
            (place, secret, name)
            for secret, value in secrets.items()
            for name, encode in ENCODINGS.items()
            for place, text in traces.items()
            if is_visible(value, text, encode)
        ]


@pytest.fixture
def sweep(practice_seed, tmp_path, monkeypatch) -> Iterator[Sweep]:
    key = new_private_key().splitlines()
    with serve(practice_seed.copy()) as server, socket.create_server(("127.0.0.1", 0)) as used:
        server.org.sessions = KnownSessions()
        private_key = server.credentials["private_key"].splitlines()
        environment = {
            "SF_ASSETS_DEPLOYMENT": "production",
            "SF_ASSETS_HOME": str(tmp_path),
            "DAGSTER_HOME": str(tmp_path),
            "DAGSTER_DISABLE_TELEMETRY": "yes",
            "SALESFORCE_INSTANCE_URL": server.url,
            "SALESFORCE_REQUESTS_PER_SECOND": "1000",
            "SALESFORCE_HASH_KEY": "c4n4ry-of-the-hash-key/0123456789+abcdef",
            **{f"SALESFORCE_{name.upper()}": value for name, value in server.credentials.items()},
            "SNOWFLAKE_PRIVATE_KEY": "\n".join(key),
            "AWS_SECRET_ACCESS_KEY": "c4n4ryOfAWS/K7MDENG+bPxRfiCYzzzzKEYzzzz",
            "AWS_SESSION_TOKEN": "c4n4ryOfTheSession//////////wEaDPc6ZZrQ3bV7+example+token==",
            "PYICEBERG_CATALOG__SALESFORCE__TYPE": "sql",
            "PYICEBERG_CATALOG__SALESFORCE__URI": f"sqlite:///{tmp_path}/lake.db",
            "PYICEBERG_CATALOG__SALESFORCE__WAREHOUSE": f"file://{tmp_path}/lake",
            "PYICEBERG_CATALOG__SALESFORCE__S3__SECRET_ACCESS_KEY": "c4n4ryOfTheCatalog/wJalrXUtnFEMIzzzz",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("pyiceberg.catalog._ENV_CONFIG", Config())  # read when pyiceberg is imported
        monkeypatch.delitem(sys.modules, "sf_assets.definitions", raising=False)
        secrets = {name: environment[name] for name in environment if name.endswith(("_KEY", "_TOKEN"))}
        lines = {"SALESFORCE_PRIVATE_KEY": private_key, "SNOWFLAKE_PRIVATE_KEY": key}
        secrets |= {name: text[len(text) // 2] for name, text in lines.items()}
        yield Sweep(server.org, secrets, tmp_path, used.getsockname()[1])


def refuse(sweep: Sweep) -> None:
    """Let each data call be refused with all secrets in the message."""
    answer = lambda: [{"errorCode": "INSUFFICIENT_ACCESS", "message": sweep.quotation()}]  # noqa: E731
    for kind in ("query", "queryAll", "describe", "composite", "limits", "more", "jobs"):
        sweep.org.faults.append(Echo(kind=kind, times=None, status=403, answer=answer))


def refuse_login(sweep: Sweep) -> None:
    """Let each login be refused with all secrets in the message."""
    answer = lambda: {"error": "invalid_grant", "error_description": sweep.quotation()}  # noqa: E731
    sweep.org.faults.append(Echo(kind="token", times=None, status=400, answer=answer))


def answer_values(sweep: Sweep) -> None:
    """Let each query be answered with secrets as the values of columns of other types."""

    def answer() -> object:
        row = {"attributes": {"type": "Account"}, "Id": "001000000000001AAA", "SystemModstamp": sweep.quotation()}
        return {"totalSize": 1, "done": True, "records": [row]}

    for kind in ("query", "queryAll"):
        sweep.org.faults.append(Echo(kind=kind, times=None, status=200, answer=answer))


PLACES = {
    refuse: {"doctor", "reconcile", "prove.json", "index.db"},
    refuse_login: {"doctor", "plan", "endpoint diff", "reconcile"},
    answer_values: {"reconcile", "prove.json"},
}
"""Mode -> places that show what the org answered, without the secrets: these were looked at."""
MODES = [
    refuse,
    pytest.param(refuse_login, marks=pytest.mark.heavy),
    pytest.param(answer_values, marks=pytest.mark.heavy),
]


def test_the_sweep_knows_every_command():
    assert {" ".join(words) for words in ALL} == set(ARGUMENTS)


@pytest.mark.parametrize("mode", MODES)
def test_no_command_leaves_a_secret_anywhere(sweep, mode, caplog):
    caplog.set_level(logging.DEBUG)
    outputs = {"reconcile without a fault": sweep.run("reconcile")}
    mode(sweep)

    for command in ARGUMENTS:
        sweep.org.expire_sessions()  # each command logs in
        outputs[command] = sweep.run(command)

    traces = sweep.traces(outputs, caplog.text)
    assert sweep.visible(traces) == []
    assert [command for command, output in outputs.items() if "Unexpected error" in output] == []
    assert {place.rpartition("/")[2] for place, text in traces.items() if BEGIN in text} >= PLACES[mode]
