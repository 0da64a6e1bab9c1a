"""What the cadences of endpoints cost in API calls a day, and which cadences fit a daily limit. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from sf_assets.salesforce.limits import COMPOSITE_QUERIES, COMPOSITE_REQUESTS
from sf_assets.specs.cadences import CADENCES, slower
from sf_assets.specs.model import EndpointSpec
from sf_assets.sync.limits import SMALL_OBJECT_ROWS, pages
from sf_assets.sync.plan import calculated_mode
from sf_assets.sync.reconcile.method import quiet_calls
from sf_assets.sync.report import DeploymentOptions


@dataclass(frozen=True)
class Priced:
    """One endpoint's price: how it is read, and the pages of a read of the whole object."""

    endpoint: str
    is_snapshot: bool
    pages: int
    is_small: bool
    comparison_calls: int = 1

    @property
    def deep_calls(self) -> int:
        """Calls of the daily work: a deep tail and a comparison, or a small snapshot."""
        if not self.is_snapshot:
            return 1 + self.comparison_calls
        return self.pages if self.is_small else 0

    @property
    def changed_calls(self) -> int:
        """Calls of a run that finds changes: one page, or the whole snapshot."""
        return self.pages if self.is_snapshot else 1


@dataclass(frozen=True)
class DayCost:
    """The calls of a day, quiet or busy, with a cadence for each endpoint in `words`."""

    priced: tuple[Priced, ...]
    words: Mapping[str, str]

    @property
    def quiet(self) -> int:
        """Calls of a day without changes: each run's describes and probes, and the daily work."""
        return self._shared() + sum(one.deep_calls for one in self.priced)

    @property
    def busy(self) -> int:
        """Calls of a day in which every run finds a page of changes everywhere."""
        read = sum(CADENCES[self.words[one.endpoint]].runs_a_day * one.changed_calls for one in self.priced)
        return self._shared() + self._comparisons() + read

    def _shared(self) -> int:
        """Return the shared calls of a day: one run serves all endpoints of a cadence."""
        sizes = {word: len(self._of(word)) for word in CADENCES}
        each = {word: ceil(size / COMPOSITE_REQUESTS) + ceil(size / COMPOSITE_QUERIES) for word, size in sizes.items()}
        return sum(CADENCES[word].runs_a_day * calls for word, calls in each.items())

    def _comparisons(self) -> int:
        """Return the calls of the daily comparison of each merged table with its org."""
        return sum(one.comparison_calls for one in self.priced if not one.is_snapshot)

    def _of(self, word: str) -> list[Priced]:
        return [one for one in self.priced if self.words[one.endpoint] == word]

    def bearable(self, limit: int, *, reserve: float) -> "DayCost | None":
        """Return the fastest affordable cadences, no faster than today's, or None."""
        cost, budget = self, limit * (1 - reserve)
        while cost.busy > budget:
            fastest = next((word for word in CADENCES if word in cost.words.values()), "daily")
            next_word = slower(fastest)
            if next_word is None:
                return None
            words = {name: next_word if word == fastest else word for name, word in cost.words.items()}
            cost = DayCost(self.priced, words)
        return cost


@dataclass(frozen=True)
class Size:
    """An endpoint's rows, and whether it has columns that change without a stamp."""

    rows: int = 0
    has_calculated: bool = False


def day_cost(
    specs: Sequence[EndpointSpec],
    words: Mapping[str, str],
    sizes: Mapping[str, Size],
    deployment: DeploymentOptions = DeploymentOptions(),  # noqa: B008 - frozen
) -> DayCost:
    """Return the cost of endpoints of these sizes under their cadence words."""
    priced = tuple(_priced(spec, sizes.get(spec.endpoint, Size()), deployment) for spec in specs)
    return DayCost(priced, {one.endpoint: words[one.endpoint] for one in priced})


def refresh_price(spec: EndpointSpec, rows: int, deployment: DeploymentOptions) -> tuple[int, bool]:
    """Return the calls of a daily read of calculated columns, and whether it is made."""
    calls, limits = pages(rows), deployment.comparison
    most = max(limits.rows_pages, limits.calculated_calls if calculated_mode(spec, deployment) == "refresh" else 0)
    return calls, spec.how == "snapshot" or calls <= most


def _priced(spec: EndpointSpec, size: Size, deployment: DeploymentOptions) -> Priced:
    refreshed = size.has_calculated and deployment.calculated == "refresh"
    calls = quiet_calls(size.rows, refreshed=refreshed, limits=deployment.comparison)
    return Priced(spec.endpoint, spec.how == "snapshot", pages(size.rows), size.rows <= SMALL_OBJECT_ROWS, calls)
