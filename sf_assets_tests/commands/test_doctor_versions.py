"""What doctor says about API versions: served or not, and a year before Salesforce retires them."""

from datetime import date

import pytest

from sf_assets.commands.doctor.versions import version_finding
from sf_assets.salesforce.api_versions import is_retired_soon, retirement_of

SERVED = tuple(f"{number}.0" for number in range(31, 69))
FINDINGS = [
    ("60.0", SERVED, date(2026, 11, 30), "ok", "serves API 31.0 to 68.0"),
    ("60.0", tuple(reversed(SERVED)), date(2026, 11, 30), "ok", "serves API 31.0 to 68.0"),
    ("40.0", SERVED, date(2027, 5, 1), "ok", "serves API"),
    ("40.0", SERVED, date(2027, 6, 15), "warn", "retires API version 40.0 on 2028-06-01"),
    ("40.0", SERVED, date(2029, 1, 1), "warn", "retires API version 40.0 on 2028-06-01"),
    ("30.0", SERVED, date(2026, 11, 30), "fail", "API version 30.0 is not served"),
    ("60.0", ("x\x1b[2J",), date(2026, 11, 30), "fail", "API version 60.0 is not served"),
    ("60.0", (), date(2026, 11, 30), "fail", "API version 60.0 is not served"),
]


@pytest.mark.parametrize(("version", "versions", "today", "status", "message"), FINDINGS)
def test_a_version_is_warned_of_a_year_before_its_end(version, versions, today, status, message):
    finding = version_finding("acme.my.salesforce.com", version, versions, today)

    assert finding.status == status
    assert message in finding.message
    assert finding.message.isprintable()
    assert bool(finding.remedy) == (status != "ok")


def test_a_version_without_an_announced_end_is_not_warned_of():
    assert retirement_of("60.0") is None
    assert not is_retired_soon("60.0", date(2099, 1, 1))
