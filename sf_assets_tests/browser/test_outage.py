"""The org away for a while and then back, live: daemon, sensor and automation at a minute's cadence make no storm.

    OUTAGE_MINUTES=60 SOAK_LOG=outage.log .venv/bin/pytest -m soak sf_assets_tests/browser/test_outage.py

`SOAK_LOG` names a file for the figures. Nobody clicks. The org answers 500 to everything for that time. The test counts
what `make dev` sends and runs until all tables are fresh again. That is at the next full hour: start the test so that
the outage ends shortly before one.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from sf_assets.specs.endpoints import endpoints
from sf_assets_tests.browser.test_soak import moments, note

pytestmark = pytest.mark.soak
OUTAGE_SECONDS = 60 * float(os.environ.get("OUTAGE_MINUTES", "60"))
STATUS = int(os.environ.get("OUTAGE_STATUS", "500"))
FILL_SECONDS = 900
HOUR = 3_600
FIRST_REFRESHES_SECONDS = 120
RECOVERY_SECONDS = 300
RUNS = "query { runsOrError { ... on Runs { results { runId status creationTime } } } }"
EVERYTHING = {spec.endpoint for spec in endpoints()}


@pytest.fixture(scope="module")
def minutely(serving: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Dagit over an empty home with every cadence a minute."""
    with serving(tmp_path_factory.mktemp("home"), SF_ASSETS_CADENCES="all=minutely") as one:
        yield one


def runs_by_time(dagit: Any) -> list[tuple[float, str]]:
    """When each run was created, and how it stands."""
    runs = dagit.ask(RUNS)["runsOrError"]["results"]
    return sorted((float(run["creationTime"]), run["status"]) for run in runs)


def request_count(dagit: Any, *, since: int) -> int:
    """How many requests the org has answered after that number."""
    return len(dagit.read_side_door(f"requests?since={since}"))


def wait_until(is_over: Any, *, seconds: float, what: str) -> float:
    began = time.time()
    while not is_over():
        assert time.time() - began < seconds, what
        time.sleep(2)
    return time.time() - began


def newest(dagit: Any) -> dict[str, float]:
    """When each endpoint's table was last refreshed; without those that never were."""
    return {name: each[-1] for name, each in moments(dagit).items() if each and name in EVERYTHING}


def test_an_org_that_was_away_comes_back_without_a_storm(minutely):
    wait_until(lambda: set(newest(minutely)) == EVERYTHING, seconds=FILL_SECONDS, what="the tables were not filled")
    time.sleep(FIRST_REFRESHES_SECONDS)
    minutely.side_door("faults", {"times": None, "status": STATUS})
    away, first = time.time(), len(minutely.read_side_door("requests"))

    time.sleep(OUTAGE_SECONDS)
    during = request_count(minutely, since=first)
    runs = Counter(status for at, status in runs_by_time(minutely) if at > away)
    minutely.clear_faults()
    back, second = time.time(), first + during

    full_hours = int(back // HOUR - away // HOUR)
    note(f"{OUTAGE_SECONDS / 60:g} minutes of {STATUS}: {dict(runs)} runs, {during} requests, {full_hours} full hours")
    longest = HOUR - back % HOUR + RECOVERY_SECONDS
    took = wait_until(
        lambda: set(newest(minutely)) == EVERYTHING and min(newest(minutely).values()) > back,
        seconds=longest,
        what="not every table was fresh after the next full hour",
    )
    after = request_count(minutely, since=second)
    runs_after = Counter(status for at, status in runs_by_time(minutely) if at > back)
    note(f"fresh {took:.0f} s after its return: {dict(runs_after)} runs, {after} requests")

    assert sum(runs.values()) <= 3 + full_hours, "a storm of runs"
    assert during <= 60 * (1 + full_hours), "a storm of requests"
    assert sum(runs_after.values()) <= 3 + took / 60
