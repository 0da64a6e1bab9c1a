"""Calls of the last 24 hours and their pace. Not thread-safe: the org locks."""

from collections import Counter
from datetime import datetime

HOURS = 24


class Usage:
    """Number of calls by hour. `set` pretends that others used the org."""

    def __init__(self) -> None:
        self._by_hour: Counter[int] = Counter()
        self._tokens = 1.0
        self._seen: datetime | None = None

    def count(self, now: datetime) -> None:
        self._by_hour[self._hour(now)] += 1

    def used(self, now: datetime) -> int:
        """Return the calls of the last 24 hours."""
        oldest = self._hour(now) - HOURS
        return sum(calls for hour, calls in self._by_hour.items() if hour > oldest)

    def set(self, used: int, now: datetime) -> None:
        self._by_hour = Counter({self._hour(now): used})

    def allows(self, now: datetime, *, per_second: float) -> bool:
        """Count one more request. Return whether the pace allows it."""
        passed = (now - self._seen).total_seconds() if self._seen else 0.0
        self._seen = now
        self._tokens = min(max(1.0, per_second), self._tokens + max(0.0, passed) * per_second)
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    @staticmethod
    def _hour(now: datetime) -> int:
        return int(now.timestamp()) // 3600
