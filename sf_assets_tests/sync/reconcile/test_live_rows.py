"""Once a day a merged table is compared with its org: rows that changed without a stamp, or are gone."""

from datetime import timedelta

import pytest

from sf_assets.devorg.org.faults import Fault
from sf_assets.sync.report import ComparisonLimits

DAY = {"hours": 25}


def ids(lake, sobject="Contact", count=1):
    rows = sorted(lake.org.rows(sobject), key=lambda row: row["Id"])
    return [row["Id"] for row in rows if not row["IsDeleted"]][:count]


def table_row(lake, record_id, endpoint="contact"):
    return next(row for row in lake.table(endpoint) if row["id"] == record_id)


LIMITS = {
    "rows": ComparisonLimits(),
    "values": ComparisonLimits(rows_pages=0, ids_every=timedelta(0)),
    "counts": ComparisonLimits(rows_pages=0, ids_pages=0),
}


@pytest.fixture(params=LIMITS)
def how(request):
    """Each of the three methods."""
    return request.param


def sync(lake, how="rows", **options):
    """Sync contacts as a run does whose comparison uses one method."""
    return lake.sync("contact", calculated="stale", comparison=LIMITS[how], **options)["contact"]


@pytest.mark.slow
def test_a_purged_row_is_marked_deleted_within_a_day(lake, how):
    (purged,) = ids(lake)
    lake.sync("contact")
    before = table_row(lake, purged)
    lake.org.purge("Contact", purged)
    lake.clock.advance(**DAY)

    report = sync(lake, how)

    assert (report.reconciled.how, report.reconciled.rows_marked) == (how, 1)
    assert table_row(lake, purged) == before | {"is_deleted": True}


@pytest.mark.slow
def test_a_purge_that_no_log_names_is_found_too(lake, how):
    (purged,) = ids(lake)
    lake.sync("contact")
    lake.org.purge("Contact", purged, log=False)
    lake.clock.advance(**DAY)

    sync(lake, how)

    assert table_row(lake, purged)["is_deleted"]


def test_a_campaign_member_that_has_no_recycle_bin_is_marked(lake):
    lake.sync("campaign_member")
    (purged,) = ids(lake, "CampaignMember")
    lake.org.purge("CampaignMember", purged, log=False)
    lake.clock.advance(**DAY)

    lake.sync("campaign_member")

    assert table_row(lake, purged, "campaign_member")["is_deleted"]


@pytest.mark.slow
def test_deletes_and_undeletes_without_a_stamp_that_cancel_out_are_found(lake, how):
    purged, back = ids(lake, count=2)
    lake.org.delete("Contact", back)
    lake.sync("contact")
    lake.org.undelete("Contact", back, restamp=False)
    lake.org.purge("Contact", purged, log=False)
    lake.clock.advance(hours=49)

    sync(lake, how)

    assert table_row(lake, purged)["is_deleted"]
    assert not table_row(lake, back)["is_deleted"]


@pytest.mark.slow
def test_a_row_with_an_old_stamp_that_comes_into_sight_is_read(lake, how):
    (hidden,) = ids(lake)
    lake.org.hide_rows("Contact", [hidden])
    lake.sync("contact")
    lake.org.show_rows("Contact", [hidden])
    lake.clock.advance(**DAY)

    sync(lake, how)

    lake.assert_equal("contact")


@pytest.mark.slow
def test_a_row_out_of_sight_comes_back_without_harm(lake, how):
    (hidden,) = ids(lake)
    lake.sync("contact")
    lake.org.hide_rows("Contact", [hidden])
    lake.clock.advance(**DAY)
    sync(lake, how)
    was_marked = table_row(lake, hidden)["is_deleted"]
    lake.org.show_rows("Contact", [hidden])
    lake.clock.advance(**DAY)

    sync(lake, how)

    assert was_marked
    lake.assert_equal("contact")


@pytest.mark.slow
def test_a_row_changed_while_out_of_sight_is_read_again(lake, how):
    (hidden,) = ids(lake)
    lake.sync("contact")
    lake.org.hide_rows("Contact", [hidden])
    lake.org.update("Contact", hidden, {"LastName": "Changed"})
    lake.clock.advance(days=5)
    lake.org.show_rows("Contact", [hidden])

    sync(lake, how)

    lake.assert_equal("contact")


@pytest.mark.slow
def test_loss_of_sight_marks_nothing_and_is_named(lake, how):
    hidden = ids(lake, count=3)
    lake.sync("contact")
    lake.org.hide_rows("Contact", hidden)
    lake.org.update("Contact", hidden[0], {"LastName": "Changed"})
    lake.clock.advance(days=5)

    report = sync(lake, how, shrink_rows=2)

    assert report.problems.out_of_sight == 3
    assert not any(table_row(lake, one)["is_deleted"] for one in hidden)
    lake.org.show_rows("Contact", hidden)
    lake.clock.advance(**DAY)
    assert sync(lake, how, shrink_rows=2).problems.out_of_sight == 0
    lake.assert_equal("contact")


@pytest.mark.slow
def test_rows_that_are_confirmed_as_deleted_are_marked(lake, how):
    purged = ids(lake, count=3)
    lake.sync("contact")
    lake.org.purge_many("Contact", purged, log=False)
    lake.clock.advance(**DAY)

    sync(lake, how, shrink_rows=2, confirm_shrink=True)

    assert all(table_row(lake, one)["is_deleted"] for one in purged)


@pytest.mark.slow
def test_rows_that_the_deleted_log_names_are_no_loss_of_sight(lake, how):
    purged = ids(lake, count=3)
    lake.sync("contact")
    lake.org.purge_many("Contact", purged)
    lake.clock.advance(**DAY)

    report = sync(lake, how, shrink_rows=2)

    assert report.problems.out_of_sight == 0
    assert all(table_row(lake, one)["is_deleted"] for one in purged)


@pytest.mark.slow
def test_a_comparison_is_made_once_a_day_and_on_request(lake):
    lake.sync("contact")
    lake.clock.advance(hours=1)

    assert lake.sync("contact")["contact"].reconciled is None
    assert lake.sync("contact", reconcile=True)["contact"].reconciled.how == "rows"
    lake.clock.advance(**DAY)
    assert lake.sync("contact")["contact"].reconciled.how == "rows"


@pytest.mark.slow
def test_an_org_that_refuses_the_comparison_keeps_the_table_and_is_named(lake):
    sync(lake, "values")
    lake.clock.advance(**DAY)
    refusal = Fault(soql="SELECT Id, IsDeleted, SystemModstamp FROM", refusal="too_complicated", times=None)
    lake.org.faults.append(refusal)

    report = sync(lake, "values")

    assert report.problems.not_compared is not None
    assert report.final == lake.state("contact")
    lake.org.faults.clear()
    lake.clock.advance(hours=1)
    assert sync(lake, "values").problems.not_compared is None


@pytest.mark.slow
def test_a_comparison_stops_at_its_calls_and_goes_on_the_next_day(lake):
    purged = ids(lake, count=2)
    sync(lake, "counts")
    lake.org.purge_many("Contact", purged, log=False)
    lake.clock.advance(**DAY)
    limits = ComparisonLimits(rows_pages=0, ids_pages=0, most_calls=2)

    first_report = lake.sync("contact", calculated="stale", comparison=limits)["contact"]

    assert first_report.reconciled.is_partial
    assert not any(table_row(lake, one)["is_deleted"] for one in purged)
    lake.clock.advance(**DAY)
    assert sync(lake, "counts").reconciled.rows_marked == 2


@pytest.mark.slow
def test_a_comparison_with_few_calls_finds_some_rows_each_day(lake):
    lake.org.insert_many("Contact", [{"LastName": f"n{i}"} for i in range(11_000)])
    lake.clock.advance(**DAY)
    sync(lake, "counts")
    every_range = ids(lake, count=11_000)[::200]
    lake.org.purge_many("Contact", every_range, log=False)
    lake.clock.advance(**DAY)
    limits = ComparisonLimits(rows_pages=0, ids_pages=0, most_calls=8)

    first = lake.sync("contact", calculated="stale", comparison=limits)["contact"].reconciled

    assert first.is_partial
    assert first.rows_marked > 0
    assert first.calls <= limits.most_calls


@pytest.mark.slow
@pytest.mark.parametrize("clauses", ["lower_bounds", "upper_bounds"])
def test_an_org_that_ignores_bounds_is_compared_by_all_ids(lake, clauses):
    sync(lake, "counts")
    purged = ids(lake, count=1)
    lake.org.purge_many("Contact", purged, log=False)
    lake.org.behave(ignored_clauses=frozenset({clauses}))
    lake.clock.advance(**DAY)

    report = sync(lake, "counts")

    assert report.problems.not_compared is None
    assert (report.reconciled.how, report.reconciled.rows_marked) == ("values", 1)
    assert any("ignores the bounds" in note for note in report.problems.notes)
    assert table_row(lake, purged[0])["is_deleted"]


def test_a_table_whose_ids_cost_too_many_calls_is_not_compared_by_them(lake):
    sync(lake, "counts")
    lake.org.behave(ignored_clauses=frozenset({"upper_bounds"}))
    lake.clock.advance(**DAY)
    limits = ComparisonLimits(rows_pages=0, ids_pages=0, most_calls=0)

    report = lake.sync("contact", calculated="stale", comparison=limits)["contact"]

    assert "ignores the bounds" in report.problems.not_compared
    assert report.reconciled.calls <= 4
