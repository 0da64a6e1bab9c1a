"""Formulas and roll-ups change without a stamp: read again daily, kept as they are, or left out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sf_assets.sync.report import ComparisonLimits
from sf_assets_tests.sync.histories.lake import SPECS

VALUES = ComparisonLimits(rows_pages=0)
COUNTS = ComparisonLimits(rows_pages=0, calculated_calls=0, ids_pages=0)


def recalculate(lake, **values):
    """Change a row's columns without a stamp; return its Id."""
    record_id = lake.org.rows("Account")[0]["Id"]
    lake.org.recalculate("Account", {record_id: values})
    return record_id


def row(lake, record_id):
    return next(row for row in lake.table("account") if row["id"] == record_id)


@pytest.mark.slow
@pytest.mark.parametrize("comparison", [ComparisonLimits(), VALUES])
def test_a_formula_is_refreshed_daily_and_its_row_keeps_its_stamp(lake, comparison):
    lake.sync("account")
    row_id = recalculate(lake, Region_Label__c="Elsewhere", Open_Pipeline__c=7.5)
    before = row(lake, row_id)
    lake.clock.advance(hours=25)

    report = lake.sync("account", comparison=comparison)["account"]

    after = row(lake, row_id)
    assert (after["region_label__c"], float(after["open_pipeline__c"])) == ("Elsewhere", 7.5)
    assert after["system_modstamp"] == before["system_modstamp"]
    assert report.calculated_as_of == report.began_at
    lake.assert_equal("account")


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"calculated": "stale", "comparison": COUNTS}, {"comparison": COUNTS}])
def test_a_formula_that_is_not_refreshed_shows_its_age(lake, options):
    first = lake.sync("account")["account"]
    recalculate(lake, Region_Label__c="Elsewhere")
    lake.clock.advance(hours=25)

    report = lake.sync("account", **options)["account"]

    assert report.reconciled.how == "counts"
    assert report.calculated_as_of == first.began_at


@pytest.mark.slow
def test_an_endpoint_has_a_mode_of_its_own(lake, monkeypatch):
    monkeypatch.setitem(SPECS, "account", replace(SPECS["account"], calculated="stale"))
    lake.sync("account")
    lake.clock.advance(hours=25)

    report = lake.sync("account", comparison=replace(VALUES, ids_every=timedelta(days=7)))["account"]

    assert report.reconciled.how == "counts"


@pytest.mark.slow
def test_a_column_that_changes_without_a_stamp_can_be_listed(lake, monkeypatch):
    monkeypatch.setitem(SPECS, "account", replace(SPECS["account"], calculated="stale", refreshed=("Rating",)))
    lake.sync("account")
    row_id = recalculate(lake, Rating="Hot")
    lake.clock.advance(hours=25)

    lake.sync("account", comparison=VALUES)

    assert row(lake, row_id)["rating"] == "Hot"
