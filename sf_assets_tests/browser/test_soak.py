"""Freshness that holds by itself: thirty endpoints for half an hour, at a minute's cadence, while one of them fails.

    make soak                    # 30 minutes after the first fill
    SOAK_MINUTES=5 make soak

Nobody clicks: `dagster dev` alone fills the tables and refreshes them. The failing endpoint is not asked for in a hot
loop; what it is asked for hourly stands in assets/test_freshness.py, with Dagster's own evaluator.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sf_assets.specs.endpoints import endpoints

pytestmark = pytest.mark.soak
SOAK_SECONDS = 60 * float(os.environ.get("SOAK_MINUTES", "30"))
FILL_SECONDS = 900
PROMISE_SECONDS = 240
FAILING = "quote"
ASSETS = """query { assetsOrError { ... on AssetConnection { nodes { key { path }
    assetMaterializations(limit: 1000) { timestamp } } } } }"""
HEALTH = "query { assetNodes { assetKey { path } freshnessStatusInfo { freshnessStatus } } }"
RUNS = "query { runsOrError { ... on Runs { results { runId status stepStats { stepKey status } } } } }"


@pytest.fixture(scope="module")
def dagit(serving: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Dagit over an empty home with every cadence a minute."""
    with serving(tmp_path_factory.mktemp("home"), SF_ASSETS_CADENCES="all=minutely") as one:
        yield one


def moments(dagit: Any) -> dict[str, list[float]]:
    """Endpoint -> when it was materialized, in seconds, oldest first."""
    nodes = dagit.ask(ASSETS)["assetsOrError"]["nodes"]
    changes = {node["key"]["path"][-1]: node["assetMaterializations"] for node in nodes}
    return {name: sorted(float(one["timestamp"]) / 1000 for one in each) for name, each in changes.items()}


def attempts(dagit: Any, endpoint: str) -> Counter[str]:
    """How the runs ended with one endpoint's step."""
    runs = dagit.ask(RUNS)["runsOrError"]["results"]
    steps = [step for run in runs for step in run["stepStats"]]
    return Counter(step["status"] for step in steps if step["stepKey"].endswith(f"__{endpoint}"))


def oldest(times_by_table: dict[str, list[float]], *, until: float) -> float:
    """The greatest age that any table but the failing one ever had."""
    spans = [(*each, until) for name, each in times_by_table.items() if name != FAILING and each]
    return max(later - earlier for span in spans for earlier, later in zip(span, span[1:], strict=False))


def note(text: Any) -> None:
    """Tell how it goes where `SOAK_LOG` names a file: half an hour is long."""
    if path := os.environ.get("SOAK_LOG"):
        with Path(path).open("a") as log:
            log.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def test_thirty_tables_fill_and_stay_fresh_while_one_endpoint_fails(dagit):
    everything = {spec.endpoint for spec in endpoints()}
    began = time.time()
    while set(full_tables := {name for name, each in moments(dagit).items() if each}) < everything:
        assert time.time() - began < FILL_SECONDS, f"not filled: {sorted(everything - full_tables)}"
        time.sleep(2)
    note(f"filled after {time.time() - began:.0f} s")
    dagit.side_door("changes", {"op": "hide_field", "sobject": "Quote", "name": "SystemModstamp"})
    failing_since = time.time()

    while time.time() < failing_since + SOAK_SECONDS:
        time.sleep(20)
        age = oldest(moments(dagit), until=time.time())
        note(f"oldest {age:.0f} s, {FAILING}: {dict(attempts(dagit, FAILING))}")
        assert age < PROMISE_SECONDS

    status = {
        node["assetKey"]["path"][-1]: node["freshnessStatusInfo"]["freshnessStatus"]
        for node in dagit.ask(HEALTH)["assetNodes"]
        if node["freshnessStatusInfo"]
    }
    late = {name for name, word in status.items() if word not in ("HEALTHY", "WARNING")}
    failures = attempts(dagit, FAILING)["FAILURE"]
    assert late <= {FAILING}
    assert 1 <= failures <= 2 + SOAK_SECONDS / 3_600, "a hot loop"
