"""A column that describe lists and every query refuses: named, remembered, and tried once a day."""

from datetime import timedelta

import pytest

from sf_assets.assets.checks import warnings
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
    sent = [request.kind for request in lake.server.requests[before:]]
    assert sent.count("query") + sent.count("queryAll") == 0


def test_a_refused_column_is_tried_once_a_day_and_backfilled_once_accepted(lake):
    lake.org.refuse_field("Account", "Sic")
    lake.sync("account")
    first = lake.state("account").columns.refused["Sic"]
    lake.clock.advance(hours=25)
    lake.sync("account")
    tried = lake.state("account").columns.refused["Sic"]
    lake.org.accept_field("Account", "Sic")
    lake.clock.advance(hours=1)
    same_day = lake.sync("account")["account"]
    lake.clock.advance(hours=24)

    accepted = lake.sync("account")["account"]

    assert tried - first >= timedelta(hours=25)
    assert list(same_day.problems.refused) == ["Sic"]
    assert accepted.problems.refused == {}
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
