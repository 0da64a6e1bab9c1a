"""The org's daily quota: whether one more request leaves the reserve to the org's other users. Pure."""

from dataclasses import dataclass, replace

from sf_assets.salesforce.wire import Usage

STALE_SECONDS = 1800.0
"""A reading older than this says little: calls come back as the 24 hours roll on."""
QUESTION_SECONDS = 3600.0
"""So often one request may go out on a stale reading, to learn whether the day is over."""


@dataclass(frozen=True)
class Spent:
    """No request may go out: the reserve is reached. `resume_seconds` until one may ask again."""

    usage: Usage
    resume_seconds: float


@dataclass(frozen=True)
class Quota:
    """The last reading of the org's usage, when it was taken, what was sent since, and the last question on it."""

    usage: Usage | None = None
    read_at: float = 0.0
    sent_since: int = 0
    asked_at: float | None = None

    def read(self, usage: Usage, *, now: float) -> "Quota":
        """A new reading from an answer."""
        return replace(self, usage=usage, read_at=now, sent_since=0)

    def exhausted(self, *, now: float) -> "Quota":
        """The quota after the org said that nothing is left."""
        limit = self.usage.limit if self.usage else 0
        return self.read(Usage(max(limit, self.usage.used if self.usage else 0), limit), now=now)

    def spend(self, *, now: float, reserve: float) -> "Quota | Spent":
        """The quota after one more request, or Spent when it would touch the reserve (a share of the limit)."""
        if self.usage is None or self.usage.used + self.sent_since + 1 <= self.usage.limit * (1 - reserve):
            return replace(self, sent_since=self.sent_since + 1)
        opens_at = self.read_at + STALE_SECONDS
        if self.asked_at is not None:
            opens_at = max(opens_at, self.asked_at + QUESTION_SECONDS)
        if now < opens_at:
            return Spent(self.usage, opens_at - now)
        return replace(self, sent_since=self.sent_since + 1, asked_at=now)
