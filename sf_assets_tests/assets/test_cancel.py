"""A run that is cancelled while it waits ends at once; its table stays whole, and the next run goes on."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from sf_assets.devorg import Fault

RUN = ["-W", "ignore", "-m", "dagster", "asset", "materialize", "-m", "sf_assets.definitions", "--select"]
WITHIN_SECONDS = 2.0
START_SECONDS = 120.0

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = [
    pytest.mark.alone,
    pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning"),
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "dagster"
    folder.mkdir()
    return folder


@pytest.fixture
def start_run(environment, home):
    """Starts a run over `account` in a process of its own, as a run launcher does."""
    processes = []

    def start(**variables: str) -> subprocess.Popen:
        environment_of_tests = {name: value for name, value in os.environ.items() if not name.startswith("COV_")}
        process = subprocess.Popen(
            [sys.executable, *RUN, "key:salesforce/account"],
            env=environment_of_tests
            | environment
            | {"DAGSTER_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "yes"}
            | variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.wait()


def until(is_so, process) -> None:
    give_up = time.monotonic() + START_SECONDS
    while not is_so():
        assert process.poll() is None, "the run was over before it could be cancelled"
        assert time.monotonic() < give_up
        time.sleep(0.02)


def seconds_to_end(process, how: signal.Signals, home: Path) -> float:
    """Ask for the end as Dagit's Terminate does; how many seconds the process lives on after the signal."""
    with dg.DagsterInstance.from_config(str(home)) as instance:
        instance.report_run_canceling(instance.get_runs(limit=1)[0])
    began = time.monotonic()
    process.send_signal(how)
    process.wait(timeout=60)
    return time.monotonic() - began


def last_status(home: Path) -> dg.DagsterRunStatus:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        return instance.get_runs(limit=1)[0].status


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_cancelled_run_that_waits_for_a_page_ends_and_keeps_its_table(runs, practice_org, start_run, home, how):
    runs("account")
    before = runs.warehouse.facts("account")
    org = practice_org.org
    for row in org.rows("Account", deleted=False):
        org.update("Account", row["Id"], {"Name": f"{row['Name']} renamed"})
    requests_before = len(practice_org.requests)
    org.behaviour = replace(org.behaviour, page_rows=10)
    org.faults.append(Fault(kind="more", times=None, delay_seconds=30.0))
    process = start_run()
    until(lambda: any(request.kind == "queryAll" for request in practice_org.requests[requests_before:]), process)
    time.sleep(0.5)  # the second page is asked for; nothing outside the run can tell when

    seconds = seconds_to_end(process, how, home)

    assert seconds < WITHIN_SECONDS
    assert last_status(home) == dg.DagsterRunStatus.CANCELED
    assert runs.warehouse.facts("account") == before
    org.faults.clear()
    assert runs("account").materialized["account"]["rows_updated"] > 10


def test_a_run_that_waits_for_leave_to_send_ends_when_cancelled(practice_org, start_run, home):
    process = start_run(SALESFORCE_REQUESTS_PER_SECOND="0.02")
    until(lambda: len(practice_org.requests) >= 1, process)
    time.sleep(0.5)  # the second request waits for its turn, fifty seconds

    seconds = seconds_to_end(process, signal.SIGTERM, home)

    assert seconds < WITHIN_SECONDS
    assert last_status(home) == dg.DagsterRunStatus.CANCELED
