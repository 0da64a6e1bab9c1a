"""What a first copy by a Bulk query job costs, counted on the practice org, and what the plan says of it."""

from types import SimpleNamespace

import pytest

from sf_assets.commands.plan import bulk_lines
from sf_assets.planning.estimate import BulkPrice, EndpointPlan, build_plan
from sf_assets.sync.endpoint import sync
from sf_assets.sync.limits import BulkLimits
from sf_assets.sync.preflight import preflight
from sf_assets.sync.report import DeploymentOptions
from sf_assets_tests.options import sync_options
from sf_assets_tests.sync.histories.lake import SPECS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("millions", "page_rows", "minutes", "most_calls"),
    [(1, 4, 10, 60), (10, 1, 60, 350)],
)
def test_calls_of_a_first_copy_of_some_million_rows(many, millions, page_rows, minutes, most_calls):
    """A page of a few rows stands for one of 50,000: the calls depend on the number of pages alone."""
    spec, rows = SPECS["opportunity_contact_role"], millions * 1_000_000 // 50_000 * page_rows
    row_count = len(many.org.rows(spec.sobject))
    many.org.insert_many(spec.sobject, [{"Role": f"n{i}"} for i in range(rows - row_count)])
    many.org.behave(bulk_page_rows=page_rows, bulk_queue_seconds=30, bulk_run_seconds=minutes * 60)
    many.clock.advance(days=1)
    answers = preflight([spec], tables=many.warehouse, client=many.client, read_deleted=True, now=many.clock)
    before = len(many.server.requests)
    sync_result = sync(
        spec, preflight=answers, tables=many.warehouse, client=many.client, now=many.clock,
        **sync_options(bulk="always"),
    )  # fmt: skip

    row_count = sum(batch.frame.height for batch in sync_result.batches if batch.frame is not None)

    calls = len(many.server.requests) - before
    assert row_count >= rows
    assert calls == sync_result.report.read.calls
    assert many.requests_with("/results") == millions * 20
    assert calls <= most_calls, calls


def plan_of(many, **options):
    return build_plan(
        [SPECS["contact"]], tables=many.warehouse, client=many.client, cadences={}, now=many.clock,
        deployment=DeploymentOptions(**options),
    )  # fmt: skip


@pytest.mark.slow
def test_the_plan_prices_both_ways_and_says_which_one_a_run_takes(many):
    rows = len(many.org.rows("Contact"))
    large, small = BulkLimits(least_rows=rows, page_rows=10), BulkLimits(least_rows=rows + 1)

    by_bulk, by_rest = plan_of(many, bulk_limits=large), plan_of(many, bulk_limits=small)

    (one,) = by_bulk.endpoints
    assert one.bulk.why_rest is None
    assert one.calls == one.bulk.bulk_calls
    lines = " ".join(bulk_lines(by_bulk))
    assert "This run takes the Bulk query job" in lines
    assert "the org allows 10,000 more jobs and 976,562 MB of results today, and 15 jobs run at once" in lines
    (other,) = by_rest.endpoints
    assert other.calls == other.bulk.rest_calls
    assert other.bulk.why_rest == f"it has fewer than {rows + 1} rows"
    assert not list(bulk_lines(by_rest))


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["auto", "never", "always"])
def test_plan_and_run_take_the_same_way(many, mode):
    limits = BulkLimits(least_rows=1)
    (endpoint_plan,) = plan_of(many, bulk=mode, bulk_limits=limits).endpoints

    report = many.sync("contact", bulk=mode, bulk_limits=limits)["contact"]

    assert (endpoint_plan.bulk.why_rest is None) is bool(report.read.bulk_job)


def test_the_plan_of_a_large_object_names_calls_share_and_minutes():
    one = EndpointPlan(SPECS["task"], "walk", rows=10_000_000, bulk=BulkPrice(255, 5_001, None))
    plan = SimpleNamespace(
        endpoints=[one], deployment=DeploymentOptions(), budget=SimpleNamespace(limit=15_000), requests_per_second=2.0,
        bulk_quota=None,
    )  # fmt: skip

    (line,) = bulk_lines(plan)

    assert "255 calls, 1.7% of the quota, 2.1 minutes" in line
    assert "5,001 calls, 33.3% of the quota, 41.7 minutes" in line
