"""Columns that come, go, come back and change their type."""

import pytest

from sf_assets.errors import ColumnIncompatible
from sf_assets_tests.sync.histories.lake import KilledError, plain

pytestmark = pytest.mark.slow

LATE = {"name": "Late__c", "type": "string", "custom": True, "label": "Late"}


def test_a_new_column_that_is_too_dear_to_backfill_is_named_with_its_price(lake):
    lake.sync("account")
    lake.org.add_field("Account", {"name": "Late__c", "type": "string", "custom": True, "label": "Late"})

    record = lake.sync("account", backfill_calls=0)["account"]

    assert record.problems.pending == {"Late__c": 1}
    assert record.planned.added == ("Late__c",)
    assert lake.sync("account")["account"].problems.pending == {}


def test_a_column_that_comes_back_while_a_walk_is_interrupted(lake):
    lake.sync("contact")
    lake.org.hide_field("Contact", "FirstName")
    lake.clock.advance(hours=1)
    lake.sync("contact")
    ids = sorted(row["Id"] for row in lake.org.rows("Contact"))
    for record_id in (ids[0], ids[-1]):
        lake.org.update("Contact", record_id, {"FirstName": "while it was hidden"})
        lake.clock.advance(hours=1)
    lake.sync("contact")
    lake.org.add_field("Contact", LATE)
    for row in lake.org.rows("Contact"):
        lake.org.update("Contact", row["Id"], {"Late__c": "x"}, stamp=plain(row["SystemModstamp"], "datetime", 0))
    lake.org.behave(page_rows=3)
    with pytest.raises(KilledError):
        lake.sync("contact", commit_rows=1, dies_after=2)
    lake.org.show_field("Contact", "FirstName")
    lake.clock.advance(hours=1)

    record = lake.sync("contact")["contact"]

    assert record.kind == "walk"
    lake.assert_equal("contact")


def test_a_column_that_is_hidden_for_one_of_the_days_of_a_long_walk(lake):
    lake.org.add_field("Contact", LATE)
    ids = sorted(row["Id"] for row in lake.org.rows("Contact"))
    for record_id in ids:
        lake.org.update("Contact", record_id, {"Late__c": "value"})
    lake.clock.advance(hours=1)
    lake.org.update("Contact", ids[-1], {"FirstName": "the ceiling"})
    lake.org.behave(page_rows=2)
    for hidden in (False, True, False):
        (lake.org.hide_field if hidden else lake.org.show_field)("Contact", "Late__c")
        with pytest.raises(KilledError):
            lake.sync("contact", commit_rows=1, dies_after=1)

    for _ in range(2):
        lake.clock.advance(hours=1)
        lake.sync("contact")

    lake.assert_equal("contact")


@pytest.mark.parametrize(("old", "new"), [("int", "double"), ("string", "date"), ("double", "string")])
def test_a_retyped_column_is_refused_until_a_full_refresh_makes_it_anew(lake, old, new):
    lake.org.add_field("Account", LATE | {"type": old})
    values = {"int": 5, "string": "2026-03-01", "double": 5.5}
    for row in lake.org.rows("Account")[::2]:
        lake.org.update("Account", row["Id"], {"Late__c": values[old]})
    lake.sync("account")
    before = lake.table("account")
    lake.org.retype_field("Account", "Late__c", new)
    lake.clock.advance(hours=1)
    lake.org.update("Account", lake.org.rows("Account")[0]["Id"], {"Name": "changed"})
    with pytest.raises(ColumnIncompatible, match="late__c") as error_info:
        lake.sync("account")
    assert "full_refresh" in error_info.value.remedy
    assert lake.table("account") == before

    record = lake.sync("account", full_refresh=True)["account"]

    assert list(record.retyped) == ["late__c"]
    lake.assert_equal("account")
    lake.clock.advance(hours=1)
    lake.org.update("Account", lake.org.rows("Account")[0]["Id"], {"Name": "changed again"})
    lake.sync("account")
    lake.assert_equal("account")
