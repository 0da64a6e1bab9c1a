"""The pace of requests as a frozen value with two verbs, `eased` and `pushed_back`; it knows no clock and no store.

Additive increase by seconds, multiplicative decrease: +0.1 requests/s each 5 s up to the ceiling, a cut to 0.7 of the
rate for each row of refusals, never under 0.05 requests/s. The constants were measured against token buckets.
"""

import math
from dataclasses import dataclass, replace

CUT = 0.7
STEP_PER_SECOND = 0.1
STEP_SECONDS = 5.0
FLOOR_PER_SECOND = 0.05
HORIZON_SECONDS = 4.0
"""Slots are given away at most this far ahead, so that a queue of waiting processes follows a change of the rate."""
LONGEST_RETRY_AFTER_SECONDS = 3600.0


@dataclass(frozen=True)
class Permit:
    """Leave to send at `slot` (on the ledger's clock) once `wait_seconds` have passed; then it is shown again.

    `is_kept` False means that no slot was given yet: come back after the wait. A pushback ends the `era` of permits.
    """

    slot: float
    wait_seconds: float
    era: int
    is_kept: bool


@dataclass(frozen=True)
class Pace:
    """Rate and next free slot; all moments are seconds on one clock, rates are requests per second."""

    ceiling: float
    rate: float
    next_slot: float
    eased_at: float
    cut_at: float = -math.inf
    closed_until: float = -math.inf
    era: int = 0

    @classmethod
    def at_ceiling(cls, ceiling: float, *, now: float) -> "Pace":
        return cls(ceiling=ceiling, rate=ceiling, next_slot=now, eased_at=now)

    def eased(self, now: float) -> "Pace":
        """The rate grown by one step for each whole step of time since the last change, up to the ceiling."""
        steps = math.floor((now - self.eased_at) / STEP_SECONDS)
        if steps < 0:
            return replace(self, eased_at=now)
        rate = min(self.ceiling, self.rate + steps * STEP_PER_SECOND)
        return replace(self, rate=rate, eased_at=self.eased_at + steps * STEP_SECONDS)

    def pushed_back(self, *, now: float, sent_at: float, retry_after: float | None = None) -> "Pace":
        """The pace after a refusal of the request of slot `sent_at`; requests sent before the last cut cut no more."""
        closed_until = max(self.closed_until, now + min(retry_after or 0.0, LONGEST_RETRY_AFTER_SECONDS))
        if sent_at < self.cut_at:
            era = self.era + (closed_until > self.closed_until and retry_after is not None)
            return replace(self, closed_until=closed_until, era=era)
        eased = self.eased(now)
        rate = max(min(FLOOR_PER_SECOND, self.ceiling), eased.rate * CUT)
        return replace(
            eased,
            rate=rate,
            cut_at=now,
            eased_at=now,
            next_slot=now + 1 / rate,
            closed_until=closed_until,
            era=self.era + 1,
        )

    def permit(self, now: float, *, held: Permit | None = None) -> tuple["Pace", Permit]:
        """A permit, and the pace that has given it: `held` again while it is good, else the next slot."""
        if held is not None and held.is_kept and held.era == self.era:
            return self, replace(held, wait_seconds=max(0.0, held.slot - now))
        pace = self.eased(now)
        slot = max(now, self._earliest(now))
        if slot - now > HORIZON_SECONDS:
            wait = slot - now - HORIZON_SECONDS / 2
            return pace, Permit(slot=slot, wait_seconds=wait, era=pace.era, is_kept=False)
        given = Permit(slot=slot, wait_seconds=slot - now, era=pace.era, is_kept=True)
        return replace(pace, next_slot=slot + 1 / pace.rate), given

    def _earliest(self, now: float) -> float:
        """The next free moment; one that lies absurdly far ahead comes of a clock set back, and is cut."""
        next_slot = min(self.next_slot, now + HORIZON_SECONDS + 1 / min(FLOOR_PER_SECOND, self.ceiling))
        return max(next_slot, min(self.closed_until, now + LONGEST_RETRY_AFTER_SECONDS))
