"""An object whose stamp the org does not filter or sort: it is read as a whole, and a note says so."""

import pytest

from sf_assets_tests.sync.histories.lake import SPECS

FLAGS = [{"filterable": False, "sortable": False}, {"filterable": False}, {"sortable": False}]
NOTE = "Account.SystemModstamp may not be filtered or sorted here: the object is read as a whole."


@pytest.mark.slow
@pytest.mark.parametrize("flags", FLAGS)
def test_an_object_without_an_ordered_stamp_is_read_as_a_whole(lake, flags):
    lake.org.change_field("Account", "SystemModstamp", **flags)

    first = lake.sync("account")["account"]
    row = lake.org.rows("Account")[0]
    lake.clock.advance(hours=2)
    lake.org.update("Account", row["Id"], {"Name": "changed"})
    second = lake.sync("account")["account"]

    assert (first.kind, second.kind) == ("replace", "replace")
    assert NOTE in first.problems.notes
    assert not any("SystemModstamp >=" in request.query for request in lake.server.requests)
    lake.assert_equal("account")


def test_other_objects_of_the_run_are_read_as_before(lake):
    lake.org.change_field("Account", "SystemModstamp", filterable=False, sortable=False)

    reports = lake.sync("account", "contact")

    assert reports["contact"].kind == "walk"
    assert reports["contact"].problems.notes == []
    lake.assert_equal("account", "contact")


@pytest.mark.slow
def test_a_stamp_that_loses_its_order_later_is_read_as_a_whole(lake):
    lake.sync("account")
    lake.org.change_field("Account", "SystemModstamp", filterable=False, sortable=False)
    lake.clock.advance(hours=2)
    lake.org.update("Account", lake.org.rows("Account")[1]["Id"], {"Name": "changed"})

    report = lake.sync("account")["account"]

    assert (SPECS["account"].how, report.kind) == ("tail", "replace")
    lake.assert_equal("account")
