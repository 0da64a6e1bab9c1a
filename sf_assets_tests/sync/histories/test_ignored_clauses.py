"""Orgs and gateways that ignore a bound, an order or LIMIT and say nothing: what a walk of them costs and holds."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from sf_assets.devorg.org.faults import Fault
from sf_assets.sync.limits import LaneLimits
from sf_assets_tests.sync.histories.lake import KilledError

LANES = LaneLimits(least_rows=0, page_rows=20, most=4, window_pages=3, held_rows=100)
IN_ORDER = replace(LANES, least_rows=10**9)
ROWS = 500


@pytest.fixture
def many(lake):
    rows = [{"LastName": f"n{i}"} for i in range(ROWS)]
    lake.org.insert_many("Contact", rows, stamp=lake.clock() - timedelta(days=2))
    lake.org.update("Contact", lake.org.rows("Contact")[1]["Id"], {"FirstName": "the ceiling"})
    lake.org.behave(page_rows=20)
    lake.clock.advance(days=1)
    return lake


def read(lake, **options):
    report = lake.sync("contact", **{"lanes": LANES, **options})["contact"]
    lake.assert_equal("contact")
    return report


@pytest.mark.slow
def test_an_ignored_upper_bound_costs_at_most_a_page_a_range(many):
    calls = read(many).read.calls
    many.org.behave(ignored_clauses=frozenset({"upper_bounds"}))

    report = read(many, full_refresh=True)

    assert report.read.calls <= 1.6 * calls
    assert sum("ignored an upper bound" in note for note in report.problems.notes) == 1


@pytest.mark.slow
@pytest.mark.parametrize("clauses", [{"lower_bounds"}, {"lower_bounds", "upper_bounds", "limit"}])
@pytest.mark.parametrize("lanes", [LANES, IN_ORDER])
@pytest.mark.parametrize("full_refresh", [True, False])
def test_an_org_that_ignores_lower_bounds_is_read_in_one_query(many, clauses, lanes, full_refresh):
    many.org.behave(ignored_clauses=frozenset(clauses))

    report = read(many, lanes=lanes, full_refresh=full_refresh)

    assert report.read.calls <= 4 * ROWS / 20
    assert "ignored `Id >`" in " ".join(report.problems.notes)


@pytest.mark.slow
def test_a_tail_of_an_org_that_ignores_stamps_says_what_it_costs(many):
    many.sync("contact")
    many.org.update("Contact", many.org.rows("Contact")[3]["Id"], {"FirstName": "changed"})
    many.clock.advance(hours=3)
    many.org.behave(ignored_clauses=frozenset({"lower_bounds"}))

    assert "each sync with news reads the whole object" in " ".join(read(many).problems.notes)


@pytest.mark.slow
def test_an_ignored_limit_is_read_in_parts_by_one_query(many):
    many.org.behave(ignored_clauses=frozenset({"limit"}))

    report = read(many)

    assert report.read.calls <= 1.5 * ROWS / 20
    assert "ignored LIMIT" in " ".join(report.problems.notes)


@pytest.mark.slow
@pytest.mark.parametrize("lanes", [LANES, IN_ORDER])
def test_a_kill_in_a_result_without_limit_costs_one_part(many, lanes):
    many.org.behave(ignored_clauses=frozenset({"limit"}))
    with pytest.raises(KilledError):
        many.sync("contact", lanes=lanes, commit_rows=1, dies_after=18)

    assert len(many.table("contact")) >= 300
    assert read(many, lanes=lanes).read.rows <= ROWS - 300 + 100


@pytest.mark.slow
def test_a_short_page_in_a_result_without_limit_moves_no_position(many):
    many.org.behave(ignored_clauses=frozenset({"limit"}))
    many.org.faults.append(Fault(kind="more", after=6, times=1, lost_rows=(3, -1)))
    with suppress(KilledError):
        many.sync("contact", lanes=IN_ORDER, commit_rows=1, dies_after=9)

    read(many, lanes=IN_ORDER)


@pytest.mark.slow
@pytest.mark.parametrize("lanes", [LANES, IN_ORDER])
def test_an_ignored_limit_without_an_answer_to_count_is_one_query(many, lanes):
    many.org.behave(ignored_clauses=frozenset({"limit"}))
    many.org.faults.append(Fault(soql="COUNT(", status=400, error_code="MALFORMED_QUERY", times=None))

    assert read(many, lanes=lanes).read.calls <= 2 * ROWS / 20
