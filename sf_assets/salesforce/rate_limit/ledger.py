"""The ledger of an org: its pace and quota, shared by all who send to it; in memory here, in SQL in `sql_ledger`."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from sf_assets.salesforce.rate_limit.quota import Quota, QuotaExceeded
from sf_assets.salesforce.rate_limit.throttle import Permit, Throttle
from sf_assets.salesforce.wire import Usage


class Ledger(Protocol):
    """The pace and quota of one org. `sent_at` is the slot of a refused request's permit."""

    def standing(self) -> "LedgerState":
        """Return pace and quota as of now."""

    def permit(self, previous: Permit | None, *, reserve: float | None) -> Permit | QuotaExceeded:
        """Return a permit to send, now or after a wait.

        `previous` is a permit after its wait. `reserve` None: the request costs no quota."""

    def pushed_back(self, sent_at: float, *, retry_after: float | None) -> None:
        """Reduce the rate: the org asked for fewer requests."""

    def read(self, usage: Usage) -> None:
        """Record the usage that an answer shows."""

    def exhausted(self) -> None:
        """Record that the org has no call left."""


@dataclass(frozen=True)
class LedgerState:
    """The pace and quota of one org."""

    pace: Throttle
    quota: Quota = field(default_factory=Quota)

    def as_of(self, now: float) -> "LedgerState":
        """Return the state with today's rate and count."""
        return LedgerState(self.pace.eased(now), self.quota.today(now))

    def permit(
        self, now: float, *, previous: Permit | None, reserve: float | None
    ) -> tuple["LedgerState", Permit | QuotaExceeded]:
        quota = self.quota
        if previous is None and reserve is not None:
            spending = quota.spend(now=now, reserve=reserve)
            if isinstance(spending, QuotaExceeded):
                return self, spending
            quota = spending
        pace, permit = self.pace.permit(now, previous=previous)
        return LedgerState(pace, quota), permit

    def pushed_back(self, now: float, *, sent_at: float, retry_after: float | None) -> "LedgerState":
        return replace(self, pace=self.pace.pushed_back(now=now, sent_at=sent_at, retry_after=retry_after))


class MemoryLedger:
    """The ledger of one process: safe for its threads, shared by its clients."""

    def __init__(
        self,
        *,
        requests_per_second: float,
        clock: Callable[[], float],
        daily_calls: int | None = None,
        spacing: float = 1.0,
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        pace = Throttle.at_ceiling(requests_per_second, now=clock(), spacing=spacing)
        self._standing = LedgerState(pace, Quota(cap=daily_calls))

    def __str__(self) -> str:
        return "this process's memory"

    def standing(self) -> LedgerState:
        return self._standing.as_of(self._clock())

    def permit(self, previous: Permit | None, *, reserve: float | None) -> Permit | QuotaExceeded:
        with self._lock:
            self._standing, answer = self._standing.permit(self._clock(), previous=previous, reserve=reserve)
        return answer

    def pushed_back(self, sent_at: float, *, retry_after: float | None) -> None:
        with self._lock:
            self._standing = self._standing.pushed_back(self._clock(), sent_at=sent_at, retry_after=retry_after)

    def read(self, usage: Usage) -> None:
        with self._lock:
            self._standing = replace(self._standing, quota=self._standing.quota.read(usage, now=self._clock()))

    def exhausted(self) -> None:
        with self._lock:
            self._standing = replace(self._standing, quota=self._standing.quota.exhausted(now=self._clock()))
