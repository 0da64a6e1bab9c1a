"""Public reports about other tools, tried on this one; docs/field-reports.md lists them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sf_assets import errors
from sf_assets_tests.other_org import (
    LOST,
    OtherOrg,
    Synced,
    accounts,
    expected_ids,
    ids,
    new_credentials,
    syncing,
)

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/field-reports.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| report", "| ---"))]


@pytest.fixture(scope="module")
def credentials():
    return new_credentials()


@pytest.fixture
def sync_accounts(credentials, tmp_path, clock) -> Iterator[Synced]:
    with syncing(credentials, tmp_path, clock) as one:
        yield one


@pytest.mark.parametrize("cursors", [1, 2])
def test_an_org_that_keeps_few_cursors_open_is_read_whole(sync_accounts, cursors):
    org = OtherOrg(accounts(4_500), open_cursors=cursors)

    assert ids(sync_accounts(org)) == expected_ids(org)


def test_an_org_that_loses_every_cursor_and_counts_nothing_says_so(sync_accounts):
    org = OtherOrg(accounts(4_500), open_cursors=0)

    with pytest.raises(errors.LocatorLost, match="page 2 of Account"):
        sync_accounts(org)

    assert len(org.requests) < 60


@pytest.mark.parametrize("orders", [True, False])
def test_a_cursor_lost_at_the_last_page_loses_no_row(sync_accounts, orders):
    last = {2: LOST} if orders else {6: LOST}
    org = OtherOrg(accounts(4_500), later=last.get, orders=orders)

    assert ids(sync_accounts(org)) == expected_ids(org)


PAGES = {
    "two line ends, then HTML": (200, b"\n\n<html><body>login</body></html>"),
    "a refusal in HTML": (400, b"<html><head><title>Error</title></head></html>"),
    "a 406 without a body": (406, b""),
    "a link that is an object": (200, {"totalSize": 4, "done": False, "records": [], "nextRecordsUrl": {"a": 1}}),
    "an XML refusal": (400, b'<?xml version="1.0"?><error><exceptionCode>Unknown</exceptionCode></error>'),
    "an unknown exception": (400, [{"errorCode": "UNKNOWN_EXCEPTION", "message": "ErrorId: 1535300772-114624"}]),
    "not done, and no link": (200, {"totalSize": 4_500, "done": False, "records": []}),
}


@pytest.mark.parametrize("page", PAGES)
def test_an_odd_later_page_is_asked_for_again(sync_accounts, page):
    org = OtherOrg(accounts(4_500), later={1: PAGES[page], 2: PAGES[page]}.get)

    assert ids(sync_accounts(org)) == expected_ids(org)


@pytest.mark.parametrize("page", PAGES)
def test_an_odd_page_that_stays_so_is_named(sync_accounts, page):
    org = OtherOrg(accounts(4_500), later=lambda number: PAGES[page])

    with pytest.raises(errors.SfAssetsError) as error_info:
        sync_accounts(org)

    assert "/services/data/v60.0/query/" in str(error_info.value)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:60])
def test_a_row_of_the_page_names_its_report_and_its_trial(row):
    report, _, result, trial = (cell.strip() for cell in row.strip("|").split("|"))
    names = re.findall(r"`(test_\w+)`", trial)
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "sf_assets_tests").rglob("test_*.py"))

    assert re.fullmatch(r"(?:[\w.-]+/[\w.-]+#\d+(?:, )?)+|the same.*", report)
    assert re.match(r"holds|fixed", result)
    assert names or trial == "the same"
    assert [name for name in names if f"def {name}(" not in source] == []
