"""A practice org in the tables, and dbt over them. What needs dbt is skipped where the extra is not installed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sf_assets.assets.resources import local_catalog
from sf_assets.devorg import Server, sample_org, serve
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.salesforce.client import Client
from sf_assets.salesforce.client_settings import Clock, OrgAccess, RequestLimits
from sf_assets.salesforce.login.credentials import Credentials
from sf_assets.specs.endpoints import endpoints
from sf_assets.sync.endpoint import sync
from sf_assets.sync.preflight import preflight
from sf_assets.sync.write import write_sync
from sf_assets_tests.options import sync_options

PROJECT = Path(__file__).parents[2] / "dbt"
DBT = Path(sys.executable).with_name("dbt")


class Downstream:
    """A practice org, its tables under a home, and dbt over them."""

    def __init__(self, server: Server, home: Path) -> None:
        self.org, self.server, self.home = server.org, server, home
        self.warehouse = IcebergTables("salesforce", "salesforce", local_catalog(home / "lake/practice"))

    def sync(self) -> None:
        """Bring every table up to date, as one run does."""
        with_all = endpoints()
        client = Client(
            OrgAccess(self.server.url, Credentials(**self.server.credentials)),
            limits=RequestLimits(requests_per_second=100_000),
            clock=Clock(sleep=lambda seconds: None),
        )
        answers = preflight(with_all, tables=self.warehouse, client=client, read_deleted=True, now=now)
        for spec in with_all:
            sync_result = sync(spec, preflight=answers, tables=self.warehouse, client=client, **sync_options(), now=now)
            write_sync(self.warehouse, spec.endpoint, sync_result, "run")
        client.close()

    def dbt(self, verb: str, *options: str, **variables: Any) -> "subprocess.CompletedProcess[str]":
        """Run dbt on DuckDB with this home; fails the test when dbt fails or warns."""
        return started_dbt(verb, self.home, *options, **variables)

    def mart(self, name: str, columns: str = "*") -> list[tuple[Any, ...]]:
        """The rows of a mart."""
        import duckdb

        with duckdb.connect(str(self.home / "analytics.duckdb"), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(f"select {columns} from marts.{name}").fetchall()


def started_dbt(verb: str, home: Path, *options: str, **variables: Any) -> "subprocess.CompletedProcess[str]":
    """Run dbt as a person does, with its own files under the home."""
    target = home / "target"
    places = ("--project-dir", PROJECT, "--profiles-dir", PROJECT, "--target-path", target, "--log-path", target)
    variables = {"home": str(home), **variables}
    command = [DBT, verb, *places, "--vars", json.dumps(variables), *options]
    answer = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "WARN=0" in answer.stdout or "WARN=" not in answer.stdout, answer.stdout
    return answer


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="session")
def downstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Downstream]:
    """The practice org as a newcomer has it, read into tables."""
    pytest.importorskip("dbt.adapters.duckdb", reason="the extra dbt is not installed")
    with serve(sample_org(seed=7)) as server:
        tables_of_org = Downstream(server, tmp_path_factory.mktemp("home"))
        tables_of_org.sync()
        yield tables_of_org


@pytest.fixture(scope="session")
def run_dbt() -> "Callable[..., subprocess.CompletedProcess[str]]":
    """Runs dbt: verb, home, options, variables."""
    return started_dbt
