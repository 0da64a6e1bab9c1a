"""Cursors that are lost: a tail goes on after the last row that it has read."""

import pytest

from sf_assets.devorg.org.faults import Fault
from sf_assets.errors import LocatorLost

PAGE = 20


@pytest.fixture
def lake_with_changes(lake):
    """A lake with six pages of contacts that changed long before the next sync, in an org that loses every cursor."""
    lake.org.insert_many("Contact", [{"LastName": f"n{i}"} for i in range(6 * PAGE)])
    lake.sync("contact")
    lake.clock.advance(hours=1)
    for number, row in enumerate(lake.org.rows("Contact")):
        lake.org.update("Contact", row["Id"], {"LastName": f"again {number}"})
        lake.clock.advance(seconds=1)
    lake.clock.advance(hours=1)
    lake.org.behave(page_rows=PAGE, locator_seconds=-1)
    return lake


@pytest.mark.slow
def test_a_tail_of_many_pages_needs_no_cursor_of_its_org(lake_with_changes):
    report = lake_with_changes.sync("contact")["contact"]

    lake_with_changes.assert_equal("contact")
    assert report.kind == "tail"
    assert report.read.pages < 2 * 6 + 4


def test_an_org_that_loses_cursors_and_counts_nothing_is_named(lake_with_changes):
    lake_with_changes.org.faults.append(Fault(soql="COUNT(", status=400, error_code="MALFORMED_QUERY", times=None))

    with pytest.raises(LocatorLost, match="page 2 of Contact"):
        lake_with_changes.sync("contact")
