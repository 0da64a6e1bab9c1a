"""How often an endpoint is refreshed: every cadence, its ages, and its runs a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

CadenceWord = Literal["hourly", "six_hours", "daily"]
"""The cadences of the table of endpoints. `minutely` can only be set by SF_ASSETS_CADENCES."""


@dataclass(frozen=True)
class Cadence:
    """One cadence. A table is refreshed at the age `wanted`, and is late at the age `promise`."""

    wanted: timedelta
    promise: timedelta

    @property
    def runs_a_day(self) -> int:
        """Runs in 24 hours."""
        return timedelta(days=1) // self.wanted


CADENCES: Mapping[str, Cadence] = {
    "minutely": Cadence(timedelta(seconds=60), timedelta(minutes=4)),  # for trials: 43,000 and more calls a day
    "hourly": Cadence(timedelta(hours=1), timedelta(hours=3)),
    "six_hours": Cadence(timedelta(hours=6), timedelta(hours=9)),
    "daily": Cadence(timedelta(hours=24), timedelta(hours=30)),
}
"""Word -> cadence, the fastest first."""


def slower(word: str) -> str | None:
    """Return the next slower cadence, or None for the slowest."""
    words = list(CADENCES)
    after = words[words.index(word) + 1 :]
    return after[0] if after else None
