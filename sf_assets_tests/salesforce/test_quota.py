"""The quota's reserve, judged before each request."""

import pytest

from sf_assets.salesforce.quota import Quota, Spent
from sf_assets.salesforce.wire import Usage


def read(used, limit=1000, now=0.0):
    return Quota().read(Usage(used, limit), now=now)


@pytest.mark.parametrize(("used", "is_allowed"), [(0, True), (898, True), (899, True), (900, False), (2000, False)])
def test_the_reserve_is_never_crossed(used, is_allowed):
    spending = read(used).spend(now=1.0, reserve=0.1)

    assert isinstance(spending, Quota) is is_allowed


def test_our_own_requests_since_the_reading_count():
    quota = read(898)

    first = quota.spend(now=1.0, reserve=0.1)
    second = first.spend(now=1.0, reserve=0.1)
    third = second.spend(now=1.0, reserve=0.1)

    assert isinstance(second, Quota)
    assert isinstance(third, Spent)


def test_without_a_reading_requests_are_allowed():
    assert isinstance(Quota().spend(now=0.0, reserve=0.1), Quota)


def test_a_reading_of_half_an_hour_ago_allows_one_request_an_hour():
    quota = read(950, now=0.0)
    assert quota.spend(now=1799.0, reserve=0.1) == Spent(Usage(950, 1000), 1.0)

    asked = quota.spend(now=1800.0, reserve=0.1)
    assert isinstance(asked, Quota)
    assert asked.spend(now=1801.0, reserve=0.1) == Spent(Usage(950, 1000), 3599.0)

    still_spent = asked.read(Usage(940, 1000), now=1801.0)
    assert isinstance(still_spent.spend(now=1801.0 + 1800, reserve=0.1), Spent)
    assert isinstance(still_spent.spend(now=1800.0 + 3600, reserve=0.1), Quota)


def test_a_day_that_is_over_ends_the_wait():
    asked = read(950).spend(now=1800.0, reserve=0.1)

    renewed = asked.read(Usage(10, 1000), now=1801.0)

    assert isinstance(renewed.spend(now=1802.0, reserve=0.1), Quota)


@pytest.mark.parametrize("quota", [Quota(), read(10)])
def test_after_the_org_said_that_nothing_is_left_no_request_is_allowed_even_without_a_reserve(quota):
    assert isinstance(quota.exhausted(now=5.0).spend(now=6.0, reserve=0.0), Spent)
