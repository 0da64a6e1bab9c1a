"""The bounds in time: of one call, of the pauses before it is sent again, and of all. Pure: the clock is passed in."""

from dataclasses import dataclass, replace

from sf_assets.salesforce.classify import ApiRefusal
from sf_assets.salesforce.error_table import Retry

PACED_PUSHBACKS = 3
"""So many pushbacks of one request are left to the throttle alone; an org that still refuses is busy for longer."""


@dataclass(frozen=True)
class Timeouts:
    """Bounds of one call, in seconds: to connect, between two pieces of an answer, and for the whole answer.

    Salesforce itself gives up after ten minutes; a first page may take minutes.
    """

    connect_seconds: float = 10.0
    silence_seconds: float = 300.0
    answer_seconds: float = 600.0


@dataclass(frozen=True)
class RetryPolicy:
    """The bounds of trying again: in all seconds of one request, and of the pauses between its sendings."""

    total_seconds: float = 900.0
    first_pause_seconds: float = 1.0
    longest_pause_seconds: float = 60.0


@dataclass(frozen=True)
class Attempts:
    """What was tried of one request: when the first sending began (seconds on a clock), how many there were, and how
    many of them ended in what only time bounds: pushbacks, and a session that was over.
    """

    began: float
    sent: int = 0
    unbounded: int = 0

    def again(self, refusal: ApiRefusal | None) -> "Attempts":
        """One sending more, after that refusal (None: the first)."""
        is_unbounded = refusal is not None and refusal.row.attempts is None
        return replace(self, sent=self.sent + 1, unbounded=self.unbounded + is_unbounded)

    def pause_seconds(
        self, refusal: ApiRefusal, *, patience: RetryPolicy, now: float, retry_after: float | None, chance: float
    ) -> float | None:
        """Seconds to wait before the next sending, or None to give up.

        The first pushbacks wait no time of their own: the throttle holds the next request back. `chance` in [0, 1) is
        the jitter, over the whole pause.
        """
        bound = refusal.row.attempts
        if not refusal.is_transient or (bound is not None and self.sent - self.unbounded >= bound):
            return None
        is_pushback = refusal.row.retry is Retry.PUSHBACK
        pause = self._backoff_seconds(patience, self.sent - (PACED_PUSHBACKS if is_pushback else 0)) * chance
        if now + max(pause, retry_after or 0.0) - self.began >= patience.total_seconds:
            return None
        return pause if is_pushback else max(pause, retry_after or 0.0)

    @staticmethod
    def _backoff_seconds(patience: RetryPolicy, pauses: int) -> float:
        if pauses < 1:
            return 0.0
        return float(min(patience.longest_pause_seconds, patience.first_pause_seconds * 2.0 ** min(pauses - 1, 30)))

    def said(self, now: float) -> str:
        """What a message says of the tries, or nothing when the first answer was final."""
        return f"; given up after {self.sent} attempts in {now - self.began:.0f} s" if self.sent > 1 else ""
