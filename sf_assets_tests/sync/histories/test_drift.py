"""What becomes of a table when an administrator changes the object's columns: each change has a defined end."""

import pytest

from sf_assets.commands.drift import described
from sf_assets.errors import ColumnIncompatible
from sf_assets_tests.sync.histories.lake import plain

pytestmark = pytest.mark.slow

LATE = {"name": "Late__c", "type": "string", "custom": True, "label": "Late"}


def fill(lake, name, value):
    """Give every account a value without a new stamp, as a column that was there before has it."""
    for row in lake.org.rows("Account"):
        lake.org.update("Account", row["Id"], {name: value}, stamp=plain(row["SystemModstamp"], "datetime", 0))


def add(lake, value="x", **facts):
    lake.org.add_field("Account", LATE | facts)
    fill(lake, facts.get("name", "Late__c"), value)


def multi_currency(lake):
    add(lake, "EUR", name="CurrencyIsoCode", type="picklist", custom=False)


def person_accounts(lake):
    add(lake, True, name="IsPersonAccount", type="boolean", custom=False)


def text_for_picklist(lake):
    lake.org.retype_field("Account", "Industry", "string")


def picklist_for_text(lake):
    lake.org.retype_field("Account", "Site", "picklist")


def encrypt_text(lake):
    lake.org.retype_field("Account", "Site", "encryptedstring")


def grant_column(lake):
    lake.org.show_field("Account", "Fax")


def more_digits(lake):
    lake.org.change_field("Account", "AnnualRevenue", scale=4)


def formula(lake):
    lake.org.change_field("Account", "Site", calculated=True)
    lake.org.recalculate("Account", {row["Id"]: {"Site": "calculated"} for row in lake.org.rows("Account")})


CHANGES = [
    add,
    multi_currency,
    person_accounts,
    text_for_picklist,
    picklist_for_text,
    encrypt_text,
    grant_column,
    more_digits,
    formula,
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_column_is_equal_to_the_org_after_a_day(lake, change):
    lake.org.hide_field("Account", "Fax")
    lake.sync("account")
    change(lake)
    if change is not grant_column:
        lake.org.show_field("Account", "Fax")
    lake.clock.advance(hours=25)

    lake.sync("account")

    lake.assert_equal("account")


@pytest.mark.parametrize("name", ["Renamed__c", "acme__Late__c"])
def test_a_renamed_column_is_new_and_the_former_one_keeps_its_values(lake, name):
    add(lake, "value")
    lake.sync("account")
    lake.org.hide_field("Account", "Late__c")
    add(lake, "value", name=name)
    lake.clock.advance(hours=1)

    report = lake.sync("account")["account"]

    column = "renamed__c" if name == "Renamed__c" else "acme__late__c"
    assert report.problems.hidden == ("Late__c",)
    assert {(row["late__c"], row[column]) for row in lake.table("account")} == {("value", "value")}


@pytest.mark.parametrize(("old", "new"), [("double", "int"), ("string", "boolean"), ("date", "datetime")])
def test_a_column_of_another_kind_is_refused_until_a_full_refresh(lake, old, new):
    lake.org.add_field("Account", LATE | {"type": old})
    lake.sync("account")
    lake.org.retype_field("Account", "Late__c", new)
    lake.clock.advance(hours=1)
    lake.org.update("Account", lake.org.rows("Account")[0]["Id"], {"Name": "changed"})
    with pytest.raises(ColumnIncompatible, match="late__c"):
        lake.sync("account")

    lake.sync("account", full_refresh=True)

    lake.assert_equal("account")


def test_the_history_of_a_tables_columns_can_be_read(lake):
    lake.sync("account")
    before = len(lake.warehouse.column_changes("account"))
    add(lake)
    lake.clock.advance(hours=1)
    lake.sync("account")

    (change,) = lake.warehouse.column_changes("account")[before:]

    assert (change.added, change.at is not None) == (("late__c",), True)
    assert described(change).endswith("UTC: added late__c")
