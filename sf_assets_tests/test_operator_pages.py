"""What the operator's pages enumerate is held against the code, and their examples are run."""

import inspect
import json
import re
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import dagster as dg
import polars as pl
import pytest
from dagster._core.workspace.autodiscovery import loadable_targets_from_python_module

from sf_assets import errors
from sf_assets.assets.checks import CHECKS
from sf_assets.assets.freshness import CADENCES
from sf_assets.assets.io_manager import IcebergIOManager
from sf_assets.assets.resources import IcebergResource
from sf_assets.planning.daily_calls import day_cost
from sf_assets.specs.endpoints import endpoints

DOCS = Path(__file__).parent.parent / "docs"
PAGES = ("dagit.md", "freshness.md", "incidents.md", "custom-object.md", "several-orgs.md")
LIMITS = (1_000, 15_000, 100_000)
SPECS = endpoints()


def text(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def rows(page: str) -> list[list[str]]:
    """The cells of every table row that begins with code or with 'as in'."""
    lines = (line for line in text(page).splitlines() if re.match(r"\| (`|as in)", line))
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def examples(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text(page), flags=re.S)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_and_picture_of_a_page_is_there(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", text(page))

    assert [link for link in links if not (DOCS / link).exists()] == []


def test_the_ages_are_those_of_the_cadences():
    units = {"minute": 60, "hour": 3_600}

    def seconds(cell):
        number, unit = cell.split()
        return int(number) * units[unit.rstrip("s")]

    ages = {row[0].strip("`"): (seconds(row[1]), seconds(row[2])) for row in rows("freshness.md") if len(row) == 3}

    assert ages == {word: (one.wanted.total_seconds(), one.promise.total_seconds()) for word, one in CADENCES.items()}


@pytest.mark.parametrize("first", ["as in the table of endpoints", "`all=hourly`", "`all=six_hours`", "`all=daily`"])
def test_the_calls_a_day_are_what_the_plan_says(first):
    word = first.strip("`").removeprefix("all=")
    words = {spec.endpoint: spec.cadence if word.startswith("as in") else word for spec in SPECS}
    (row,) = (row for row in rows("freshness.md") if row[0] == first)

    cost = day_cost(SPECS, words, {})

    assert row[1:] == [str(cost.quiet), str(cost.busy), *(f"{cost.busy / limit:.0%}" for limit in LIMITS)]


def test_every_check_and_every_error_has_its_row():
    first = " ".join(row[0] for row in (*rows("incidents.md"), *rows("checks.md")) if "/" not in row[0])
    names = set(re.findall(r"`(\w+)`", first))
    kinds = {
        name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, errors.SfAssetsError)
    }

    assert kinds - {"SfAssetsError", "SalesforceError", "SyncError"} | set(CHECKS) <= names


def test_the_custom_object_of_the_page_becomes_the_31st_endpoint(tmp_path):
    tomls, soqls = examples("custom-object.md", "toml"), examples("custom-object.md", "sql")
    for toml, soql in zip(tomls, soqls, strict=True):
        [row] = tomllib.loads(toml)["endpoint"]
        (tmp_path / "endpoints.toml").write_text(toml)
        (tmp_path / f"{row['endpoint']}.soql").write_text(soql)

        *ours, custom = endpoints(tmp_path)

        assert len(ours) == 30
        assert (custom.endpoint, custom.sobject) == (row["endpoint"], row["sobject"])
        (tmp_path / f"{row['endpoint']}.soql").unlink()


def run_example(code: str, name: str):
    names: dict = {}
    exec(code, names)  # noqa: S102 - the page's own example
    return names[name]


# Dagster itself calls it, for a nested resource.
@pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")
def test_the_downstream_asset_of_the_page_reads_a_table_and_makes_one(tmp_path):
    properties = {"type": "sql", "uri": f"sqlite:///{tmp_path}/catalog.db", "warehouse": f"file://{tmp_path}/tables"}
    iceberg = IcebergResource(catalog="test", properties=properties)
    frame = pl.DataFrame({"id": ["1", "2", "3"], "industry": ["A", "A", "B"], "is_deleted": [False, False, True]})
    iceberg.tables().overwrite("account", [frame])
    mart = run_example(next(one for one in examples("dagit.md", "python") if "AssetIn" in one), "accounts_by_industry")

    result = dg.materialize(
        [mart, dg.AssetSpec(["salesforce", "account"])],
        resources={"io_manager": IcebergIOManager(iceberg=iceberg)},
        instance=dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)),
    )

    assert result.success
    assert iceberg.tables().scan("accounts_by_industry").collect().to_dicts() == [{"industry": "A", "len": 2}]


def test_a_users_own_assets_share_a_code_location_with_the_thirty(tmp_path):
    pages = examples("dagit.md", "python")
    (tmp_path / "acme").mkdir()
    for name, word in (("assets", "AssetIn"), ("sensors", "run_failure_sensor"), ("definitions", "Definitions.merge")):
        (tmp_path / "acme" / f"{name}.py").write_text(next(one for one in pages if word in one))

    location = loadable_targets_from_python_module("acme.definitions", working_directory=str(tmp_path))

    (target,) = location
    repository = target.target_definition.get_repository_def()
    keys = {key.to_user_string() for key in repository.asset_graph.get_all_asset_keys()}
    assert {"accounts_by_industry", *(f"salesforce/{spec.endpoint}" for spec in SPECS)} <= keys
    assert "tell_a_channel" in {sensor.name for sensor in repository.sensor_defs}


def test_the_sensor_of_the_page_posts_what_failed_and_what_to_do(tmp_path, monkeypatch):
    messages = []

    class Channel(BaseHTTPRequestHandler):
        def do_POST(self):
            messages.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments):
            """Say nothing."""

    @dg.asset
    def quote():
        raise dg.Failure("quote: it is closed. Open it.")

    sensor = run_example(
        next(one for one in examples("dagit.md", "python") if "run_failure_sensor" in one), "tell_a_channel"
    )
    with HTTPServer(("127.0.0.1", 0), Channel) as server, dg.DagsterInstance.ephemeral(str(tmp_path)) as instance:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("ALERT_WEBHOOK", f"http://127.0.0.1:{server.server_port}/")
        result = dg.materialize([quote], instance=instance, raise_on_error=False)
        failure = result.get_run_failure_event()
        context = dg.build_run_status_sensor_context("tell_a_channel", failure, instance, result.dagster_run)
        sensor(context.for_run_failure())
        server.shutdown()

    assert messages == [{"text": "quote: it is closed. Open it."}]
