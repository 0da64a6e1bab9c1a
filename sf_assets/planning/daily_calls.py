"""What the cadences of endpoints cost in API calls a day, and which cadences a daily limit can bear. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from sf_assets.specs.model import EndpointSpec

RUNS_A_DAY: Mapping[str, int] = {"minutely": 1440, "hourly": 24, "six_hours": 4, "daily": 1}
"""Cadence word -> runs in 24 hours."""
SLOWER: Mapping[str, str] = {"minutely": "hourly", "hourly": "six_hours", "six_hours": "daily"}
"""Cadence word -> the next slower one."""
PAGE_ROWS, DESCRIBES, QUERIES = 2_000, 25, 5
SNAPSHOT_DAILY_ROWS = 50_000
"""A snapshot endpoint up to this size is read in full once a day, change or not."""


@dataclass(frozen=True)
class Priced:
    """One endpoint as a day sees it: how it is read, and how many pages a whole reading has."""

    endpoint: str
    is_snapshot: bool
    pages: int
    is_small: bool


@dataclass(frozen=True)
class DayCost:
    """The calls of a day in which nothing changes, and of one in which each run finds every endpoint changed."""

    priced: tuple[Priced, ...]
    words: Mapping[str, str]

    @property
    def quiet(self) -> int:
        """Describes and probes of each run, and once a day each endpoint's count and deep look back."""
        return self._shared() + self._counts() + sum(_deep(endpoint) for endpoint in self.priced)

    @property
    def busy(self) -> int:
        """The same, and each run reads every endpoint: a page of a tail, all of a snapshot."""
        read = sum(RUNS_A_DAY[self.words[one.endpoint]] * (one.pages if one.is_snapshot else 1) for one in self.priced)
        return self._shared() + self._counts() + read

    def _shared(self) -> int:
        """A run is launched for all endpoints of one cadence together."""
        sizes = {word: sum(self.words[one.endpoint] == word for one in self.priced) for word in RUNS_A_DAY}
        return sum(RUNS_A_DAY[word] * (ceil(size / DESCRIBES) + ceil(size / QUERIES)) for word, size in sizes.items())

    def _counts(self) -> int:
        """Once a day the rows of each endpoint that is merged are counted, in the calls of that run's probes."""
        more = 0
        for word in RUNS_A_DAY:
            those = [one for one in self.priced if self.words[one.endpoint] == word]
            counted = sum(not one.is_snapshot for one in those)
            more += ceil((len(those) + counted) / QUERIES) - ceil(len(those) / QUERIES)
        return more

    def bearable(self, limit: int, *, reserve: float) -> "DayCost | None":
        """The finest cadences, none finer than now, whose busy day leaves the reserve of a daily limit; None: none."""
        cost, budget = self, limit * (1 - reserve)
        while cost.busy > budget:
            finest = next((word for word in RUNS_A_DAY if word in cost.words.values()), "daily")
            if finest not in SLOWER:
                return None
            slower = {name: SLOWER[finest] if word == finest else word for name, word in cost.words.items()}
            cost = DayCost(self.priced, slower)
        return cost


def day_cost(specs: Sequence[EndpointSpec], words: Mapping[str, str], rows: Mapping[str, int]) -> DayCost:
    """The cost of some endpoints under their cadence words; `rows` are the sizes of the snapshot endpoints."""
    priced = tuple(_priced(spec, rows.get(spec.endpoint, 0)) for spec in specs)
    return DayCost(priced, {one.endpoint: words[one.endpoint] for one in priced})


def _priced(spec: EndpointSpec, rows: int) -> Priced:
    return Priced(spec.endpoint, spec.how == "snapshot", max(1, ceil(rows / PAGE_ROWS)), rows <= SNAPSHOT_DAILY_ROWS)


def _deep(endpoint: Priced) -> int:
    if not endpoint.is_snapshot:
        return 1
    return endpoint.pages if endpoint.is_small else 0
