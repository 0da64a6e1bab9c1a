"""How long a call may take, whether it is sent again, and after what pause. Pure: the clock is passed in.

A pushback (429 and the like) also slows all requests down: `rate_limit/throttle.py`.
"""

from dataclasses import dataclass, replace

from sf_assets.salesforce.classify import ApiRefusal
from sf_assets.salesforce.error_row import Retry

PACED_PUSHBACKS = 3
"""Pushbacks of one request that wait for the throttle alone; after them the org is busy for longer."""


@dataclass(frozen=True)
class Timeouts:
    """The bounds of one call, in seconds.

    To connect, between two pieces of an answer, and for the whole exchange.
    Salesforce itself gives up after ten minutes; a first page may take minutes.
    """

    connect_seconds: float = 10.0
    silence_seconds: float = 300.0
    answer_seconds: float = 600.0


@dataclass(frozen=True)
class RetryPolicy:
    """The bounds of sending again: total time of a request, and pauses."""

    total_seconds: float = 900.0
    first_pause_seconds: float = 1.0
    longest_pause_seconds: float = 60.0


@dataclass(frozen=True)
class Attempts:
    """The sendings of one request: when the first one began (seconds on a clock), and their number.

    `unbounded` counts those that only time bounds: pushbacks, and a session that had ended.
    """

    began: float
    sent: int = 0
    unbounded: int = 0

    def add(self, refusal: ApiRefusal | None) -> "Attempts":
        """Return the attempts with one more sending, after that refusal (None: the first)."""
        is_unbounded = refusal is not None and refusal.row.attempts is None
        return replace(self, sent=self.sent + 1, unbounded=self.unbounded + is_unbounded)

    def pause_seconds(
        self, refusal: ApiRefusal, *, policy: RetryPolicy, now: float, retry_after: float | None, chance: float
    ) -> float | None:
        """Return the seconds before the next sending, or None to give up.

        The first pushbacks have no pause of their own: the throttle holds the next request back. `chance` in [0, 1)
        is the jitter, over the whole pause.
        """
        bound = refusal.row.attempts
        if not refusal.is_transient or (bound is not None and self.sent - self.unbounded >= bound):
            return None
        is_pushback = refusal.row.retry is Retry.PUSHBACK
        pause = self._backoff_seconds(policy, self.sent - (PACED_PUSHBACKS if is_pushback else 0)) * chance
        if now + max(pause, retry_after or 0.0) - self.began >= policy.total_seconds:
            return None
        return pause if is_pushback else max(pause, retry_after or 0.0)

    @staticmethod
    def _backoff_seconds(policy: RetryPolicy, pauses: int) -> float:
        if pauses < 1:
            return 0.0
        return float(min(policy.longest_pause_seconds, policy.first_pause_seconds * 2.0 ** min(pauses - 1, 30)))

    def summary(self, now: float) -> str:
        """Return what a message says about the attempts; empty when the first answer was final."""
        return f"; given up after {self.sent} attempts in {now - self.began:.0f} s" if self.sent > 1 else ""
