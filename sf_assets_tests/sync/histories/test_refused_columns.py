"""A column that describe lists and every query refuses: named, remembered, and tried once a day."""

from datetime import timedelta

import pytest

from sf_assets.assets.checks import warnings
from sf_assets.devorg.org.faults import Fault
from sf_assets.errors import QueryTooComplicated
from sf_assets_tests.sync.histories.lake import SPECS

pytestmark = pytest.mark.slow


def test_a_refused_column_is_named_and_an_idle_sync_reads_nothing(lake):
    lake.org.refuse_field("Account", "Sic")
    first = lake.sync("account")["account"]
    lake.clock.advance(hours=1)
    lake.sync("account")
    before = len(lake.server.requests)
    lake.clock.advance(hours=1)

    idle = lake.sync("account")["account"]

    for report in (first, idle):
        assert list(report.problems.refused) == ["Sic"]
        assert any("refused in queries: Sic (costs 1 call)" in text for text in warnings(SPECS["account"], report))
    assert (idle.kind, idle.read.rows, idle.read.calls) == ("unchanged", 0, 0)
    request_kinds = [request.kind for request in lake.server.requests[before:]]
    assert request_kinds.count("query") + request_kinds.count("queryAll") == 0


def test_a_refused_column_is_tried_once_a_day_and_backfilled_once_accepted(lake):
    lake.org.refuse_field("Account", "Sic")
    lake.sync("account")
    first = lake.state("account").columns.refused["Sic"]
    lake.clock.advance(hours=25)
    lake.sync("account")
    second = lake.state("account").columns.refused["Sic"]
    lake.org.accept_field("Account", "Sic")
    lake.clock.advance(hours=1)
    same_day = lake.sync("account")["account"]
    lake.clock.advance(hours=24)

    after_accept = lake.sync("account")["account"]

    assert second - first >= timedelta(hours=25)
    assert list(same_day.problems.refused) == ["Sic"]
    assert after_accept.problems.refused == {}
    assert "Sic" in lake.state("account").columns.read
    assert lake.state("account").columns.refused == {}
    lake.assert_equal("account")


def test_a_column_refused_in_the_middle_keeps_its_values_and_catches_up(lake):
    lake.sync("account")
    lake.org.refuse_field("Account", "Sic")
    lake.clock.advance(hours=1)
    row = lake.org.rows("Account")[0]
    lake.org.update("Account", row["Id"], {"Sic": "1234"})
    stale = lake.sync("account")["account"]
    lake.org.accept_field("Account", "Sic")
    lake.clock.advance(hours=25)

    report = lake.sync("account")["account"]

    assert list(stale.problems.refused) == ["Sic"]
    assert report.problems.refused == {}
    lake.assert_equal("account")


def test_a_snapshot_with_a_refused_column_is_not_replaced_every_time(lake):
    lake.org.refuse_field("Profile", "UserType")
    lake.sync("profile")
    lake.clock.advance(hours=1)
    lake.sync("profile")
    lake.clock.advance(hours=1)

    idle = lake.sync("profile")["profile"]

    assert (idle.kind, list(idle.problems.refused)) == ("unchanged", ["UserType"])


FORMULAS = ("Industry", "Rating", "Site", "Type")


@pytest.fixture
def lake_with_formulas(lake):
    """An org whose account has more calculated columns than one query may select."""
    for name in FORMULAS:
        lake.org.change_field("Account", name, calculated=True)
    lake.org.behave(formulas_per_query=4)
    return lake


@pytest.mark.parametrize("options", [{}, {"bulk": "always"}])
def test_a_query_that_is_too_complicated_leaves_out_columns_by_name(lake_with_formulas, options):
    first = lake_with_formulas.sync("account", **options)["account"]
    lake_with_formulas.clock.advance(hours=1)

    idle = lake_with_formulas.sync("account", **options)["account"]

    left_out = lake_with_formulas.state("account").columns.complicated
    assert 0 < len(left_out) <= 3
    assert (idle.kind, idle.read.calls) == ("unchanged", 0)
    for report in (first, idle):
        assert report.problems.complicated == left_out
        assert any("too complicated for Salesforce" in text for text in warnings(SPECS["account"], report))
    names = {name.lower() for name in left_out}
    assert all(row[name] is None for row in lake_with_formulas.table("account") for name in names)


def test_columns_that_were_too_complicated_are_tried_together_once_a_day(lake_with_formulas):
    lake_with_formulas.sync("account")
    lake_with_formulas.clock.advance(hours=25)
    second = lake_with_formulas.sync("account")["account"]
    assert (second.kind, second.problems.pending) == ("tail", {})  # no walk: the columns are not new
    lake_with_formulas.org.behave(formulas_per_query=None)
    lake_with_formulas.clock.advance(hours=25)

    third = lake_with_formulas.sync("account")["account"]

    assert third.problems.complicated == ()
    assert lake_with_formulas.state("account").columns.refused == {}
    lake_with_formulas.assert_equal("account")


def test_a_complicated_query_without_calculated_columns_is_an_error(lake):
    lake.org.faults.append(Fault(soql="FROM Account ORDER", refusal="too_complicated", times=None))

    with pytest.raises(QueryTooComplicated):
        lake.sync("account")


def test_a_run_that_asks_for_all_daily_work_tries_refused_columns_at_once(lake):
    lake.org.refuse_field("Account", "Sic")
    lake.sync("account")
    lake.org.accept_field("Account", "Sic")
    lake.clock.advance(hours=1)
    assert list(lake.sync("account")["account"].problems.refused) == ["Sic"]

    report = lake.sync("account", reconcile=True)["account"]

    assert report.problems.refused == {}
    lake.assert_equal("account")
