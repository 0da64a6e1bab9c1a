"""The command line as a person's shell runs it: a process of its own, over a home of its own."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Command = Callable[..., "subprocess.CompletedProcess[str]"]
FEW = {"account": 20, "contact": 30, "lead": 10, "opportunity": 15, "case": 10, "task": 20, "event": 10}


@pytest.fixture
def port() -> int:
    """A port on 127.0.0.1 that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture
def few() -> list[str]:
    """Options for a practice org that is small."""
    return [option for name, count in FEW.items() for option in ("--rows", f"{name}={count}")]


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """A shell's environment without any setting of ours but the home."""
    ours = ("SF_ASSETS_", "SALESFORCE_", "SNOWFLAKE_", "PYICEBERG_", "DAGSTER_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return environment | {"SF_ASSETS_HOME": str(tmp_path), "DAGSTER_HOME": str(tmp_path), "COLUMNS": "80"}


@pytest.fixture
def sf_assets(environment: Mapping[str, str], tmp_path: Path) -> Command:
    """Run `sf-assets` to its end; keyword arguments are variables of its environment."""

    def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "sf_assets.cli", *arguments]
        shell = {**environment, **variables}
        return subprocess.run(command, env=shell, cwd=tmp_path, capture_output=True, text=True, timeout=300)

    return run
