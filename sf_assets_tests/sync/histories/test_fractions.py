"""Fractions in whole-number columns: the column keeps its type, and a second column keeps the exact value."""

from datetime import timedelta

import pytest

from sf_assets.assets.checks import warnings
from sf_assets.commands.erase_columns import held_columns
from sf_assets.sync.limits import LaneLimits
from sf_assets_tests.sync.histories.lake import SPECS, KilledError

EXACT = "number_of_employees__exact"


def employ(lake, number, json_text):
    """Put a number into an account, stamped now."""
    row = sorted(lake.org.rows("Account"), key=lambda row: row["Id"])[number]
    lake.org.update("Account", row["Id"], {"NumberOfEmployees": 1})
    lake.org.set_raw("Account", row["Id"], "NumberOfEmployees", json_text)
    return row["Id"]


def employees(lake):
    """Id -> the whole number and its exact value, of the accounts that have one."""
    rows = lake.table("account")
    return {row["id"]: (row["number_of_employees"], row[EXACT]) for row in rows if row[EXACT] is not None}


def test_a_fraction_is_kept_exactly_from_the_first_copy_on(lake):
    row_id = employ(lake, 0, "47.5")

    report = lake.sync("account")["account"]

    assert employees(lake) == {row_id: (48, 47.5)}
    assert report.problems.fractions == {"NumberOfEmployees": 1}
    assert "Fractions in whole numbers: NumberOfEmployees (1 value)" in " ".join(warnings(SPECS["account"], report))
    assert f"Account.NumberOfEmployees in record {row_id}: 47.5 is stored as 48" in " ".join(report.problems.notes)


@pytest.mark.slow
def test_a_fraction_that_appears_later_is_kept_exactly(lake):
    lake.sync("account")
    before = {row["id"]: row for row in lake.table("account")}
    lake.clock.advance(hours=2)
    row_id = employ(lake, 3, "-0.25")

    lake.sync("account")

    assert employees(lake) == {row_id: (0, -0.25)}
    assert {row["id"]: row | {EXACT: None} for row in lake.table("account") if row["id"] != row_id} == {
        key: row | {EXACT: None} for key, row in before.items() if key != row_id
    }


def test_a_number_that_is_whole_again_has_no_exact_value(lake):
    row_id = employ(lake, 0, "47.5")
    lake.sync("account")
    lake.clock.advance(hours=2)
    lake.org.update("Account", row_id, {"NumberOfEmployees": 60})

    report = lake.sync("account")["account"]

    assert employees(lake) == {}
    lake.assert_equal("account")
    assert warnings(SPECS["account"], report) == []


@pytest.mark.parametrize("full_refresh", [False, True])
def test_a_second_column_costs_no_second_copy(lake, full_refresh):
    employ(lake, 0, "47.5")
    lake.sync("account")
    lake.clock.advance(hours=2)
    row_id = employ(lake, 1, "12.75")

    report = lake.sync("account", full_refresh=full_refresh)["account"]

    assert employees(lake)[row_id] == (13, 12.75)
    assert len(employees(lake)) == 2
    assert report.kind == ("replace" if full_refresh else "tail")


@pytest.mark.slow
def test_fractions_met_in_the_daily_comparison_are_kept(lake):
    lake.sync("account")
    lake.clock.advance(days=2)
    row = lake.org.rows("Account")[2]
    lake.org.recalculate("Account", {row["Id"]: {"NumberOfEmployees": 5}})
    lake.org.set_raw("Account", row["Id"], "NumberOfEmployees", "5.5")

    report = lake.sync("account")["account"]

    assert employees(lake) == {row["Id"]: (6, 5.5)}
    assert report.problems.not_compared is None


def test_a_snapshot_keeps_fractions(lake):
    row = lake.org.rows("Organization")[0]
    lake.org.set_raw("Organization", row["Id"], "FiscalYearStartMonth", "1.5")

    lake.sync("organization")

    (table_row,) = lake.table("organization")
    assert (table_row["fiscal_year_start_month"], table_row["fiscal_year_start_month__exact"]) == (2, 1.5)


@pytest.mark.slow
def test_several_columns_with_fractions_in_a_walk_of_lanes_that_dies(lake):
    for name in ("Visits__c", "Calls__c"):
        lake.org.add_field("Contact", {"name": name, "type": "int", "custom": True, "label": name})
    rows = [{"LastName": f"n{i}", "Visits__c": i, "Calls__c": i} for i in range(300)]
    lake.org.insert_many("Contact", rows, stamp=lake.clock() - timedelta(days=2))
    ids = sorted(row["Id"] for row in lake.org.rows("Contact"))
    lake.org.set_raw("Contact", ids[40], "Visits__c", "0.5")
    lake.org.set_raw("Contact", ids[-40], "Calls__c", "1.5")
    lanes = LaneLimits(least_rows=0, page_rows=20, most=4, window_pages=3)
    with pytest.raises(KilledError):
        lake.sync("contact", lanes=lanes, commit_rows=1, dies_after=1)

    lake.sync("contact", lanes=lanes)

    table = {row["id"]: row for row in lake.table("contact")}
    assert len(table) == len(ids)
    assert (table[ids[40]]["visits__c"], table[ids[40]]["visits__c__exact"]) == (0, 0.5)
    assert (table[ids[-40]]["calls__c"], table[ids[-40]]["calls__c__exact"]) == (2, 1.5)
    assert sum(row["visits__c__exact"] is not None for row in table.values()) == 1


def test_an_erasure_of_the_column_takes_the_exact_values_too(lake):
    employ(lake, 0, "47.5")
    lake.sync("account")

    names = held_columns(lake.warehouse, SPECS["account"], ("NumberOfEmployees",))

    assert names == ["number_of_employees", EXACT]
