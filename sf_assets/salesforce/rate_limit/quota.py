"""The org's daily quota: whether one more request leaves the reserve to its other users. Pure.

An optional cap bounds what we ourselves send in a day, whatever the org has left.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sf_assets.errors import QuotaSpent
from sf_assets.salesforce.wire import Usage

STALE_SECONDS = 1800.0
"""Age at which a reading is stale: calls come back as the 24 hours roll on."""
QUESTION_SECONDS = 3600.0
"""Time between two requests on a stale reading, which show whether calls have come back."""
DAY_SECONDS = 86_400.0
"""Our own calls are counted from midnight to midnight, UTC."""


@dataclass(frozen=True)
class QuotaExceeded:
    """No request may go out: the reserve or our own cap is reached. `resume_seconds` until one may ask again.

    `usage` is the org's; where the cap is reached it is our own calls of the day against the cap.
    """

    usage: Usage
    resume_seconds: float
    is_own_cap: bool = False


@dataclass(frozen=True)
class Quota:
    """The last reading of the org's usage, and what was sent since.

    `own_calls` are what all who share these books have sent on `day` (days since 1970); at most `cap` are allowed.
    """

    usage: Usage | None = None
    read_at: float = 0.0
    sent_since: int = 0
    asked_at: float | None = None
    cap: int | None = None
    day: int = 0
    own_calls: int = 0

    def read(self, usage: Usage, *, now: float) -> "Quota":
        """Return the quota with a new reading."""
        return replace(self, usage=usage, read_at=now, sent_since=0)

    def exhausted(self, *, now: float) -> "Quota":
        """Return the quota of an org that has no call left."""
        limit = self.usage.limit if self.usage else 0
        return self.read(Usage(max(limit, self.usage.used if self.usage else 0), limit), now=now)

    def today(self, now: float) -> "Quota":
        """Return the quota with our own calls counted from today's midnight."""
        day = int(now // DAY_SECONDS)
        return self if day == self.day else replace(self, day=day, own_calls=0)

    def spend(self, *, now: float, reserve: float) -> "Quota | QuotaExceeded":
        """Return the quota after one more request, or QuotaExceeded.

        `reserve` is a share of the limit."""
        quota = self.today(now)
        if quota.cap is not None and quota.own_calls >= quota.cap:
            return QuotaExceeded(Usage(quota.own_calls, quota.cap), DAY_SECONDS - now % DAY_SECONDS, is_own_cap=True)
        sent = replace(quota, sent_since=quota.sent_since + 1, own_calls=quota.own_calls + 1)
        if quota.usage is None or quota.usage.used + sent.sent_since <= quota.usage.limit * (1 - reserve):
            return sent
        opens_at = quota.read_at + STALE_SECONDS
        if quota.asked_at is not None:
            opens_at = max(opens_at, quota.asked_at + QUESTION_SECONDS)
        if now < opens_at:
            return QuotaExceeded(quota.usage, opens_at - now)
        return replace(sent, asked_at=now)


def quota_spent(spent: QuotaExceeded, *, reserve: float, now: datetime) -> QuotaSpent:
    """Return the error for a budget that is spent. Values: `used`, `limit`, `resumes_at`."""
    used, limit, resumes_at = spent.usage.used, spent.usage.limit, _moment(now, spent.resume_seconds)
    if spent.is_own_cap:
        return QuotaSpent(
            f"budget spent: {used:,} calls were sent today, and SALESFORCE_DAILY_CALLS allows {limit:,}; the count"
            f" starts again at {resumes_at}",
            remedy="Wait: the next run resumes where this one stopped. Or raise SALESFORCE_DAILY_CALLS.",
            used=used, limit=limit, resumes_at=resumes_at,
        )  # fmt: skip
    what = (
        f"the org has used {used:,} of its {limit:,} API calls of 24 hours; {reserve:.0%} of the limit is reserved for"
        " other users"
    )
    if not limit:
        what = "the org's API calls of 24 hours are used up"
    what = f"budget spent: {what}; asking again is allowed at {resumes_at}"
    return QuotaSpent(what, used=used, limit=limit, resumes_at=resumes_at)


def refused_by_org(error: QuotaSpent, *, now: datetime) -> QuotaSpent:
    """Return the org's own refusal with the time of the next attempt."""
    resumes_at = _moment(now, STALE_SECONDS)
    what = f"budget spent: {error}; asking again is allowed at {resumes_at}"
    return QuotaSpent(what, remedy=error.remedy, **{**error.values, "resumes_at": resumes_at})


def _moment(now: datetime, seconds: float) -> str:
    return f"{now + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"
