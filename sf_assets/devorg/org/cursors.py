"""Open query results: the Ids that a query found, for its later pages. Not thread-safe: the org locks."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sf_assets.devorg.api_errors import locator_invalid
from sf_assets.devorg.soql.bind import Plan
from sf_assets.devorg.store.ids import record_id_of

MOST_OPEN = 200


@dataclass(frozen=True)
class Locator:
    """An open result: `keys` in order, and `rows` as they were if the settings freeze them."""

    id: str
    plan: Plan
    all_rows: bool
    keys: tuple[str, ...] | list[str]
    rows: list[bytes] | None
    page_rows: int
    opened_at: datetime


class Locators:
    """The results opened last. Older ones are closed, so an org that runs for days does not grow."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Locator] = OrderedDict()
        self._count = 0

    def next_id(self) -> str:
        self._count += 1
        return record_id_of("01g", 62**6 + self._count)

    def keep(self, locator: Locator) -> None:
        self._open[locator.id] = locator
        if len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)

    def find(self, locator_id: str, now: datetime, *, life_seconds: float) -> Locator:
        """Return the open result.

        Raises:
            Refusal: INVALID_QUERY_LOCATOR if it is unknown or too old.
        """
        locator = self._open.get(locator_id)
        if locator is None or now - locator.opened_at > timedelta(seconds=life_seconds):
            self._open.pop(locator_id, None)
            raise locator_invalid()
        return locator

    def expire(self) -> None:
        self._open.clear()
