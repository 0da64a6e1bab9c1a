"""What a day of the cadences costs, and what a limit can bear."""

import pytest

from sf_assets.planning.daily_calls import DayCost, Priced, Size, day_cost, refresh_price
from sf_assets.specs.endpoints import endpoints
from sf_assets.sync.report import DeploymentOptions

TWO = (Priced("task", is_snapshot=False, pages=1, is_small=True), Priced("profile", True, 3, is_small=True))


def test_a_quiet_day_costs_describes_probes_and_one_look_back():
    cost = DayCost(TWO, {"task": "hourly", "profile": "daily"})

    assert cost.quiet == 24 * (1 + 1) + 1 * (1 + 1) + (1 + 1) + 3


@pytest.mark.parametrize(
    ("size", "calls"),
    [(Size(), 1), (Size(10_000), 5), (Size(10_001), 5), (Size(100_000, True), 50), (Size(1_000_000, True), 5)],
)
def test_a_comparison_costs_its_pages_or_the_counts_of_a_large_table(size, calls):
    task = [spec for spec in endpoints() if spec.endpoint == "task"]

    assert day_cost(task, {"task": "daily"}, {"task": size}).priced[0].comparison_calls == calls


def test_thirty_quiet_endpoints_cost_at_most_300_calls_a_day_hourly():
    cost = day_cost(endpoints(), {spec.endpoint: "hourly" for spec in endpoints()}, {})

    assert cost.quiet <= 300


def test_a_busy_day_reads_every_endpoint_in_every_run():
    cost = DayCost(TWO, {"task": "hourly", "profile": "daily"})

    assert cost.busy == 24 * (1 + 1) + 1 * (1 + 1) + 24 * 1 + 1 + 1 * 3


@pytest.mark.parametrize(
    ("limit", "word"), [(100_000, "hourly"), (100, "hourly"), (50, "six_hours"), (10, "daily"), (3, None)]
)
def test_the_finest_cadence_that_a_limit_can_bear_is_found(limit, word):
    cost = DayCost(TWO[:1], {"task": "hourly"})

    best = cost.bearable(limit, reserve=0.1)

    assert (best and best.words["task"]) == word
    assert best is None or best.busy <= 0.9 * limit


def test_the_table_of_endpoints_is_borne_by_an_org_of_15_000_calls():
    specs = endpoints()
    cost = day_cost(specs, {spec.endpoint: spec.cadence for spec in specs}, {})

    assert cost.quiet < cost.busy < 0.9 * 15_000
    assert cost.bearable(15_000, reserve=0.1) == cost
    slower = cost.bearable(1_000, reserve=0.1)
    assert slower is not None
    assert slower.busy <= 900


@pytest.mark.parametrize(
    ("rows", "mode", "price"),
    [
        (10_000, "stale", (5, True)), (10_001, "stale", (6, False)), (100_000, "refresh", (50, True)),
        (100_001, "refresh", (51, False)), (0, "refresh", (1, True)),
    ],
)  # fmt: skip
def test_calculated_columns_are_read_daily_up_to_a_price(rows, mode, price):
    (task,) = [spec for spec in endpoints() if spec.endpoint == "task"]

    assert refresh_price(task, rows, DeploymentOptions(calculated=mode)) == price
