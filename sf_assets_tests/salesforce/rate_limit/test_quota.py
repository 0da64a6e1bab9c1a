"""The quota's reserve, judged before each request."""

from datetime import UTC, datetime

import pytest

from sf_assets.salesforce.rate_limit.quota import DAY_SECONDS, Quota, QuotaExceeded, quota_spent
from sf_assets.salesforce.wire import Usage


def read(calls, limit=1000, now=0.0):
    return Quota().read(Usage(calls, limit), now=now)


@pytest.mark.parametrize(("calls", "is_allowed"), [(0, True), (898, True), (899, True), (900, False), (2000, False)])
def test_the_reserve_is_never_crossed(calls, is_allowed):
    spending = read(calls).spend(now=1.0, reserve=0.1)

    assert isinstance(spending, Quota) is is_allowed


def test_our_own_requests_since_the_reading_count():
    quota = read(898)

    first = quota.spend(now=1.0, reserve=0.1)
    second = first.spend(now=1.0, reserve=0.1)
    third = second.spend(now=1.0, reserve=0.1)

    assert isinstance(second, Quota)
    assert isinstance(third, QuotaExceeded)


def test_without_a_reading_requests_are_allowed():
    assert isinstance(Quota().spend(now=0.0, reserve=0.1), Quota)


def test_a_reading_of_half_an_hour_ago_allows_one_request_an_hour():
    quota = read(950, now=0.0)
    assert quota.spend(now=1799.0, reserve=0.1) == QuotaExceeded(Usage(950, 1000), 1.0)

    quota_now = quota.spend(now=1800.0, reserve=0.1)
    assert isinstance(quota_now, Quota)
    assert quota_now.spend(now=1801.0, reserve=0.1) == QuotaExceeded(Usage(950, 1000), 3599.0)

    still_spent = quota_now.read(Usage(940, 1000), now=1801.0)
    assert isinstance(still_spent.spend(now=1801.0 + 1800, reserve=0.1), QuotaExceeded)
    assert isinstance(still_spent.spend(now=1800.0 + 3600, reserve=0.1), Quota)


def test_a_day_that_is_over_ends_the_wait():
    spent_quota = read(950).spend(now=1800.0, reserve=0.1)

    next_day = spent_quota.read(Usage(10, 1000), now=1801.0)

    assert isinstance(next_day.spend(now=1802.0, reserve=0.1), Quota)


@pytest.mark.parametrize("quota", [Quota(), read(10)])
def test_an_exhausted_quota_allows_no_request_even_without_a_reserve(quota):
    assert isinstance(quota.exhausted(now=5.0).spend(now=6.0, reserve=0.0), QuotaExceeded)


def test_our_own_calls_of_a_day_end_at_the_cap_whatever_the_org_has_left():
    quota = Quota(cap=2).read(Usage(0, 100_000), now=0.0)

    for _ in range(2):
        quota = quota.spend(now=3600.0, reserve=0.1)

    assert quota.spend(now=3600.0, reserve=0.1) == QuotaExceeded(Usage(2, 2), DAY_SECONDS - 3600.0, is_own_cap=True)


def test_the_count_of_our_own_calls_begins_anew_at_midnight():
    quota = Quota(cap=1).spend(now=DAY_SECONDS - 1, reserve=0.1)
    assert isinstance(quota.spend(now=DAY_SECONDS - 0.5, reserve=0.1), QuotaExceeded)

    tomorrow = quota.spend(now=DAY_SECONDS, reserve=0.1)

    assert (tomorrow.day, tomorrow.own_calls) == (1, 1)


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_spent_budget_says_who_used_what_and_when_it_resumes():
    by_org = quota_spent(QuotaExceeded(Usage(950, 1000), 1800.0), reserve=0.1, now=NOON)
    by_cap = quota_spent(QuotaExceeded(Usage(500, 500), 43_200.0, is_own_cap=True), reserve=0.1, now=NOON)

    assert str(by_org).startswith("budget spent: the org has used 950 of its 1,000")
    assert by_org.values["resumes_at"] == "2026-03-01T12:30:00Z"
    assert "SALESFORCE_DAILY_CALLS allows 500" in str(by_cap)
    assert by_cap.values["resumes_at"] == "2026-03-02T00:00:00Z"
    assert "SALESFORCE_DAILY_CALLS" in by_cap.remedy
