"""An org that compares Ids without regard to case: lanes read each row once, also while rows change."""

import re
import zlib
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote_plus, unquote_plus

import httpx
import pytest

from sf_assets.devorg.api.transport import in_process
from sf_assets.sync.id_space import with_check_digits
from sf_assets.sync.limits import LaneLimits
from sf_assets.sync.report import ComparisonLimits
from sf_assets_tests.sync.histories.lake import Lake

pytestmark = pytest.mark.slow
LANES = LaneLimits(least_rows=0, page_rows=20, most=4, window_pages=25)
ID = re.compile(r"003[0-9A-Za-z]{12}[A-Z0-5]{3}")
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def inner_id(row_id):
    """Return an Id as the practice org has it: in lower case, so that its order by bytes is the one without case."""
    return row_id[:15].lower() + "AAA"


def outer_id(row_id):
    """Return the same Id in mixed case, always the same for one row."""
    bits = zlib.crc32(row_id.encode())
    mixed_case = "".join(c.upper() if bits >> i & 1 else c for i, c in enumerate(row_id[3:15]))
    return with_check_digits("003" + mixed_case)


class CaselessOrg(httpx.BaseTransport):
    """Passes requests to a practice org, with the Ids of contacts in mixed case outside and in lower case inside."""

    def __init__(self, inner):
        self.inner = inner

    def handle_request(self, request):
        path, _, query = request.url.raw_path.decode().partition("?")
        inner = ID.sub(lambda match: inner_id(match[0]), unquote_plus(query))
        if inner.startswith("q="):
            url = request.url.copy_with(raw_path=f"{path}?q={quote_plus(inner[2:])}".encode())
            request = httpx.Request(request.method, url, headers=request.headers)
        response = self.inner.handle_request(request)
        body = re.sub(ID.pattern.encode(), lambda match: outer_id(match[0].decode()).encode(), response.read())
        return httpx.Response(response.status_code, headers=response.headers, content=body, request=request)


def lower_case_id(number):
    digits = ""
    for _ in range(12):
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
    return f"003{digits}AAA"


@pytest.fixture
def many(seed, tmp_path, clock):
    org = seed.copy(clock=clock)
    org.purge_many("Contact", [row["Id"] for row in org.rows("Contact")])
    server, inner = in_process(org, sleep=lambda seconds: None)
    lake = Lake(org, server=server, folder=tmp_path, clock=clock, transport=CaselessOrg(inner))
    numbers = [*range(5_000, 5_300), *range(6_000, 60_000, 90)]  # dense, then sparse: windows are cut in flight
    records = [{"Id": lower_case_id(number), "LastName": f"n{number}"} for number in numbers]
    org.insert_many("Contact", records, stamp=clock() - timedelta(days=2))
    org.update("Contact", lower_case_id(5_000), {"FirstName": "the ceiling"})
    clock.advance(days=1)
    return lake


def assert_equal(lake):
    table = {inner_id(row["id"]): (row["last_name"], row["first_name"]) for row in lake.table("contact")}
    assert len(table) == len(lake.table("contact"))
    assert table == {row["Id"]: (row["LastName"], row["FirstName"]) for row in lake.org.rows("Contact")}


def test_lanes_read_every_row_of_a_caseless_org_once(many):
    report = many.sync("contact", lanes=LANES)["contact"]

    assert_equal(many)
    assert report.read.rows <= len(many.org.rows("Contact")) + 1  # the tail reads the newest row again
    assert not report.problems.notes


@pytest.mark.parametrize("window_pages", [3, 25])
def test_a_full_refresh_of_a_caseless_org_ends_while_rows_change(many, window_pages):
    lanes = replace(LANES, window_pages=window_pages)
    names = iter(range(100_000))

    def change_all(_):
        many.clock.advance(seconds=1)
        for row in many.org.rows("Contact")[::7]:
            many.org.update("Contact", row["Id"], {"FirstName": f"{next(names)}"})

    many.sync("contact", lanes=lanes, full_refresh=True)
    many.sync("contact", lanes=lanes, full_refresh=True, watch=change_all)
    many.clock.advance(days=1)
    many.sync("contact", lanes=lanes)

    assert_equal(many)


def test_a_row_deleted_for_good_in_a_caseless_org_is_marked(many):
    by_counts = ComparisonLimits(rows_pages=0, ids_pages=0)
    many.sync("contact", lanes=LANES)
    purged_id = many.org.rows("Contact")[7]["Id"]
    many.org.purge_many("Contact", [purged_id], log=False)
    many.clock.advance(days=1)

    report = many.sync("contact", lanes=LANES, calculated="stale", comparison=by_counts)["contact"]

    assert (report.reconciled.how, report.reconciled.rows_marked) == ("values", 1)
    assert report.problems.out_of_sight == 0
    assert [inner_id(row["id"]) for row in many.table("contact") if row["is_deleted"]] == [purged_id]
