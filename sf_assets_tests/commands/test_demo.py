"""`sf-assets demo` from end to end, and the table that it prints."""

import json
import re
import sqlite3
import stat
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from sf_assets.commands.run_all import Outcome, failures, outcome_table
from sf_assets.specs.endpoints import endpoints

ENDPOINTS = [spec.endpoint for spec in endpoints()]


def words_by_line(text: str) -> dict[str, list[str]]:
    """First word of each printed line -> the other words."""
    return {words[0]: words[1:] for line in text.splitlines() if (words := line.split())}


def test_a_second_demo_reads_only_what_changed(sf_assets, port: int, few: list[str], tmp_path: Path) -> None:
    home = tmp_path / "new"
    fast = {
        "SF_ASSETS_HOME": str(home), "DAGSTER_HOME": str(home), "SALESFORCE_REQUESTS_PER_SECOND": "1000",
        "SF_ASSETS_LEDGER": f"sqlite:///{tmp_path}/ledger.db",
    }  # fmt: skip

    first = sf_assets("demo", "--port", str(port), *few, **fast)
    second = sf_assets("demo", "--port", str(port), *few, **fast, SF_ASSETS_ENDPOINTS="campaign,pricebook,task")
    process = sf_assets("tables", **fast)

    assert stat.S_IMODE(home.stat().st_mode) == 0o700, "a new home is its owner's alone"
    assert (first.returncode, second.returncode, process.returncode) == (0, 0, 0), first.stdout + second.stderr
    before, after = words_by_line(first.stdout), words_by_line(second.stdout)
    assert 0 < int(re.search(r"all endpoints together: (\S+) calls more", first.stdout)[1]) < 20
    assert [name for name in ENDPOINTS if name not in before or before[name][0] == "0"] == []
    assert {before[name][-1] for name in ENDPOINTS} == {"walk", "replace"}
    assert after["campaign"][-1] == after["pricebook"][-1] == "unchanged"
    assert set(ENDPOINTS) <= set(words_by_line(process.stdout))
    assert max(map(len, first.stdout.split("\n\n")[1].splitlines())) <= 80
    runs = sqlite3.connect(home / "history" / "runs.db").execute("SELECT status, run_body FROM runs").fetchall()
    assert [status for status, _ in runs] == ["SUCCESS", "SUCCESS"]
    assert len(json.loads(runs[0][1])["asset_selection"]["__frozenset__"]) == len(ENDPOINTS)


def test_a_demo_whose_warehouse_cannot_be_written_fails_by_name(sf_assets, port: int, few: list[str]) -> None:
    nowhere = {
        "PYICEBERG_CATALOG__SALESFORCE__TYPE": "sql",
        "PYICEBERG_CATALOG__SALESFORCE__URI": "sqlite:////proc/no.db",
        "SF_ASSETS_ENDPOINTS": "account,profile",
    }

    process = sf_assets("demo", "--port", str(port), *few, SALESFORCE_REQUESTS_PER_SECOND="1000", **nowhere)

    assert process.returncode == 1
    assert "PYICEBERG_CATALOG__SALESFORCE__" in process.stdout
    assert "Traceback" not in process.stdout + process.stderr


def test_tables_says_when_there_are_none(sf_assets) -> None:
    process = sf_assets("tables")

    assert process.returncode == 1
    assert "there are no tables yet" in process.stderr
    assert "What to do: Materialize some endpoints first" in process.stderr


def test_a_wrong_setting_is_one_message_with_its_remedy(sf_assets) -> None:
    process = sf_assets("demo", SALESFORCE_REQUESTS_PER_SECOND="two")

    assert process.returncode == 1
    assert "ConfigError: SALESFORCE_REQUESTS_PER_SECOND is 'two'" in process.stderr
    assert "What to do:" in process.stderr
    assert "Traceback" not in process.stderr


@pytest.mark.parametrize(("vanished", "has_title"), [(0, False), (3, True)])
def test_the_column_gone_is_shown_when_something_went(vanished: int, has_title: bool) -> None:
    outcomes = [Outcome("user_role", 0.5, kind="replace", rows=12, vanished=vanished)]
    screen = StringIO()

    Console(file=screen, width=80).print(outcome_table(outcomes))

    assert ("gone" in screen.getvalue()) is has_title


def test_a_failed_endpoint_is_a_line_of_its_own() -> None:
    failed_outcome = Outcome("task", 1.0, kind="failed", error="task: no right. Grant it.")

    assert failures([failed_outcome, Outcome("user", 1.0, kind="walk")]) == ["task: no right. Grant it."]


def test_one_cause_of_many_failures_is_one_line() -> None:
    refusal = "the org does not know this consumer key. Copy it."
    outcomes = [Outcome(name, kind="failed", error=f"{name}: {refusal}") for name in ("account", "task")]

    assert failures(outcomes) == [f"account, task: {refusal}"]
