"""The pace of requests, and the wait after a pushback (429 and the like), as a frozen value without clock or store.

Additive increase by seconds, multiplicative decrease: +0.1 requests/s in 5 s, evenly, up to the ceiling; a cut to 0.7
of the rate for each row of refusals, never under 0.05 requests/s. The constants were measured against token buckets.
"""

import math
from dataclasses import dataclass, replace

CUT = 0.7
GROWTH_PER_SECOND = 0.1 / 5
FLOOR_PER_SECOND = 0.05
HORIZON_SECONDS = 4.0
"""Slots are given at most this far ahead, so that waiting processes follow a change of the rate."""
LATE_SECONDS = 0.25
"""A permit expires this long after its slot."""
LONGEST_RETRY_AFTER_SECONDS = 3600.0


@dataclass(frozen=True)
class Permit:
    """A permit to send at `slot` (on the ledger's clock), to be confirmed after `wait_seconds`.

    `is_kept` False: no slot was given yet; ask again after the wait. A pushback starts a new `generation` of permits.
    """

    slot: float
    wait_seconds: float
    generation: int
    is_kept: bool


@dataclass(frozen=True)
class Throttle:
    """Rate and last slot given; all moments are seconds on one clock, rates are requests per second.

    Slots lie `spacing` times 1/rate apart: requests are under way for different times, and an org that counts them over
    any second of its own clock must not see one too many.
    """

    ceiling: float
    rate: float
    last_slot: float
    eased_at: float
    cut_at: float = -math.inf
    closed_until: float = -math.inf
    generation: int = 0
    spacing: float = 1.0

    @classmethod
    def at_ceiling(cls, ceiling: float, *, now: float, spacing: float = 1.0) -> "Throttle":
        return cls(ceiling=ceiling, rate=ceiling, last_slot=now - spacing / ceiling, eased_at=now, spacing=spacing)

    def eased(self, now: float) -> "Throttle":
        """Return the pace with its rate grown since the last change, up to the ceiling."""
        grown = self.rate + max(0.0, now - self.eased_at) * GROWTH_PER_SECOND
        return replace(self, rate=min(self.ceiling, grown), eased_at=now)

    def pushed_back(self, *, now: float, sent_at: float, retry_after: float | None = None) -> "Throttle":
        """Return the pace after a refusal of the request of slot `sent_at`.

        A refusal of a request from before the last cut does not cut again; its Retry-After still closes the org.
        """
        closed = replace(self, closed_until=max(self.closed_until, now + _bounded(retry_after)))
        if retry_after is None and sent_at < self.cut_at:
            return self
        if sent_at < self.cut_at:
            return replace(closed, generation=self.generation + 1)
        eased = closed.eased(now)
        rate = max(min(FLOOR_PER_SECOND, self.ceiling), eased.rate * CUT)
        last_slot = min(self.last_slot, now)
        return replace(eased, rate=rate, cut_at=now, eased_at=now, last_slot=last_slot, generation=self.generation + 1)

    def permit(self, now: float, *, previous: Permit | None = None) -> tuple["Throttle", Permit]:
        """Return a permit and the pace after it.

        The permit is `previous` while that is valid, else one for the next slot. If its holder is late for the last
        slot, that slot moves, so that the next one keeps its distance from the sending.
        """
        if previous is not None and self._holds(previous, now):
            confirmed = replace(previous, wait_seconds=max(0.0, previous.slot - now))
            is_late = now > previous.slot == self.last_slot
            return (replace(self, last_slot=now) if is_late else self), confirmed
        pace = self._checked(now).eased(now)
        slot = max(now, pace.last_slot + pace.spacing / pace.rate, pace.closed_until)
        if slot - now > HORIZON_SECONDS:
            wait = slot - now - HORIZON_SECONDS / 2
            return pace, Permit(slot=slot, wait_seconds=wait, generation=pace.generation, is_kept=False)
        permit = Permit(slot=slot, wait_seconds=slot - now, generation=pace.generation, is_kept=True)
        return replace(pace, last_slot=slot), permit

    def _holds(self, permit: Permit, now: float) -> bool:
        """Return whether a permit is still valid.

        A holder who is too late would come too close to the next one."""
        return permit.is_kept and permit.generation == self.generation and now <= permit.slot + LATE_SECONDS

    def _checked(self, now: float) -> "Throttle":
        """Return the pace without times far in the future.

        A clock that was set back leaves them."""
        last_slot = min(self.last_slot, now + HORIZON_SECONDS)
        return replace(self, last_slot=last_slot, closed_until=min(self.closed_until, now + _bounded(math.inf)))


def _bounded(retry_after: float | None) -> float:
    return min(retry_after or 0.0, LONGEST_RETRY_AFTER_SECONDS)
