"""What the cadences of endpoints cost in API calls a day, and which cadences fit a daily limit. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from sf_assets.salesforce.limits import COMPOSITE_QUERIES, COMPOSITE_REQUESTS
from sf_assets.specs.cadences import CADENCES, slower
from sf_assets.specs.model import EndpointSpec
from sf_assets.sync.limits import SMALL_OBJECT_ROWS, pages


@dataclass(frozen=True)
class Priced:
    """One endpoint's price: how it is read, and the pages of a read of the whole object."""

    endpoint: str
    is_snapshot: bool
    pages: int
    is_small: bool

    @property
    def deep_calls(self) -> int:
        """Calls of the daily deep read: one page of a tail, or a small snapshot as a whole."""
        if not self.is_snapshot:
            return 1
        return self.pages if self.is_small else 0

    @property
    def changed_calls(self) -> int:
        """Calls of a run that finds changes: one page of a tail, or the whole snapshot."""
        return self.pages if self.is_snapshot else 1


@dataclass(frozen=True)
class DayCost:
    """The calls of a day, quiet or busy, with a cadence for each endpoint in `words`."""

    priced: tuple[Priced, ...]
    words: Mapping[str, str]

    @property
    def quiet(self) -> int:
        """Calls of a day without changes: each run's describes and probes, the daily counts and deep reads."""
        return self._shared() + self._counts() + sum(one.deep_calls for one in self.priced)

    @property
    def busy(self) -> int:
        """Calls of a day in which every run finds every endpoint changed, by at most one page."""
        read = sum(CADENCES[self.words[one.endpoint]].runs_a_day * one.changed_calls for one in self.priced)
        return self._shared() + self._counts() + read

    def _shared(self) -> int:
        """A run is launched for all endpoints of one cadence together."""
        sizes = {word: len(self._of(word)) for word in CADENCES}
        each = {word: ceil(size / COMPOSITE_REQUESTS) + ceil(size / COMPOSITE_QUERIES) for word, size in sizes.items()}
        return sum(CADENCES[word].runs_a_day * calls for word, calls in each.items())

    def _counts(self) -> int:
        """Once a day the rows of each merged endpoint are counted, in the calls of that run's probes."""
        return sum(self._count_calls(self._of(word)) for word in CADENCES)

    def _count_calls(self, priced: Sequence[Priced]) -> int:
        counted = sum(not one.is_snapshot for one in priced)
        return ceil((len(priced) + counted) / COMPOSITE_QUERIES) - ceil(len(priced) / COMPOSITE_QUERIES)

    def _of(self, word: str) -> list[Priced]:
        return [one for one in self.priced if self.words[one.endpoint] == word]

    def bearable(self, limit: int, *, reserve: float) -> "DayCost | None":
        """Return the fastest cadences, no faster than today's, whose busiest day fits the limit, or None."""
        cost, budget = self, limit * (1 - reserve)
        while cost.busy > budget:
            fastest = next((word for word in CADENCES if word in cost.words.values()), "daily")
            next_word = slower(fastest)
            if next_word is None:
                return None
            words = {name: next_word if word == fastest else word for name, word in cost.words.items()}
            cost = DayCost(self.priced, words)
        return cost


def day_cost(specs: Sequence[EndpointSpec], words: Mapping[str, str], rows: Mapping[str, int]) -> DayCost:
    """Return the cost of endpoints under their cadence words; `rows` are the sizes of the snapshot endpoints."""
    priced = tuple(_priced(spec, rows.get(spec.endpoint, 0)) for spec in specs)
    return DayCost(priced, {one.endpoint: words[one.endpoint] for one in priced})


def _priced(spec: EndpointSpec, rows: int) -> Priced:
    return Priced(spec.endpoint, spec.how == "snapshot", pages(rows), rows <= SMALL_OBJECT_ROWS)
