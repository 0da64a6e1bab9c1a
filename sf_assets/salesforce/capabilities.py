"""Features that an org or a gateway may lack, and the errors that show it.

The fallbacks: composite -> one GET at a time; describe -> the catalogue's columns; queryAll -> query without deleted
rows; aggregates -> no probe, every row is read.
"""

import time
from collections.abc import Callable
from enum import StrEnum

from sf_assets.errors import (
    AccessDenied,
    AnswerTorn,
    ApiDisabled,
    ApiVersionRetired,
    HostUnreachable,
    OrgBusy,
    QueryRefused,
    ResourceNotFound,
    SalesforceError,
)

OF_ONE_REQUEST = (QueryRefused, AccessDenied, ResourceNotFound, OrgBusy, AnswerTorn, HostUnreachable)
"""Errors that may concern one object alone; all others concern the whole org."""
TROUBLES_IN_A_ROW = 3
"""After this many objects in a row without an answer the trouble is the org's."""
_OF_SOQL = frozenset({"MALFORMED_QUERY", "INVALID_QUERY_FILTER_OPERATOR", "NUMBER_OUTSIDE_VALID_RANGE"})


class Feature(StrEnum):
    """Something that not every org or gateway serves; the value is the name in reports."""

    COMPOSITE = "composite"
    DESCRIBE = "describe"
    QUERY_ALL = "queryAll"
    AGGREGATES = "aggregates"


PROOFS = {Feature.COMPOSITE: 2}
"""A gateway may refuse one call while it is deployed. This number of refusals in a row shows that a feature is missing;
else one does, after a second question."""
OBJECTS_OF_PROOF = 2
"""After a feature was refused of this many objects, and served for none, the org lacks it."""
TRIED_AGAIN_SECONDS = 3600.0
"""After this time a missing feature is tried again."""


class Capabilities:
    """The features that this org or gateway lacks; shared by the flows of one client.

    The answer about one object says nothing of the others: a feature that is refused `of` an object is missing for it
    alone, and for the org once two objects were refused and none was served.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._refusals: dict[Feature, list[float]] = {}
        self._of_objects: dict[tuple[Feature, str], float] = {}
        self._served: set[Feature] = set()

    def has(self, feature: Feature, *, of: str | None = None) -> bool:
        """Return whether the feature is served (`of` this object), as far as the client knows."""
        refused = self._refusals.get(feature, [])
        if refused and self._is_recent(refused[-1]) and len(refused) >= PROOFS.get(feature, 1):
            return False
        return of is None or (feature, of) not in self._of_objects or not self._is_recent(self._of_objects[feature, of])

    def mark_missing(self, feature: Feature, *, is_certain: bool = False) -> None:
        """Record that the feature was refused; `is_certain`: one refusal is proof enough."""
        refusals = PROOFS.get(feature, 1) if is_certain else 1
        self._refusals.setdefault(feature, []).extend([self._monotonic()] * refusals)

    def mark_missing_of(self, sobject: str, feature: Feature) -> None:
        """Record that the feature was refused of an object."""
        self._of_objects[feature, sobject] = self._monotonic()
        objects = [one for one, at in self._of_objects.items() if one[0] == feature and self._is_recent(at)]
        if len(objects) >= OBJECTS_OF_PROOF and feature not in self._served:
            self.mark_missing(feature, is_certain=True)

    def mark_served(self, feature: Feature, *, of: str | None = None) -> None:
        """Record that the feature was served, `of` an object if that is named."""
        self._served.add(feature)
        self._refusals.pop(feature, None)
        if of is not None:
            self._of_objects.pop((feature, of), None)

    @property
    def missing(self) -> tuple[Feature, ...]:
        """The features that were refused last, in the order of their first refusals."""
        return tuple(self._refusals)

    def missing_of(self, sobject: str) -> tuple[Feature, ...]:
        """Return the features that the org lacks, or that were refused of this object."""
        own = [feature for feature in Feature if not self.has(feature, of=sobject)]
        return tuple(dict.fromkeys([*self.missing, *own]))

    def _is_recent(self, at: float) -> bool:
        return self._monotonic() - at < TRIED_AGAIN_SECONDS


def is_path_missing(error: SalesforceError) -> bool:
    """Return whether the error of a whole call says that its path is not served."""
    concerns_all = isinstance(error, ApiDisabled | ApiVersionRetired)
    return isinstance(error, ResourceNotFound | QueryRefused | AccessDenied) and not concerns_all


def is_query_all_in_doubt(error: SalesforceError) -> bool:
    """Return whether the error may concern queryAll and not the query.

    The answer of /query decides."""
    if isinstance(error, QueryRefused):
        return type(error) is QueryRefused and error.values.get("error_code") not in _OF_SOQL
    return is_path_missing(error)


def is_trouble(error: SalesforceError) -> bool:
    """Return whether no try gave an answer, though the org itself may be well.

    Not so for pushbacks: they are bounded by time and concern every request.
    """
    if isinstance(error, OrgBusy):
        return error.values.get("status") not in (429, 503)
    return isinstance(error, AnswerTorn) or (
        isinstance(error, HostUnreachable) and error.values.get("error_code") == "time-out"
    )


def concerns_one(error: SalesforceError) -> bool:
    """Return whether the error concerns one request, so that the others go on."""
    if isinstance(error, ApiDisabled | ApiVersionRetired):
        return False
    return isinstance(error, OF_ONE_REQUEST) and (is_trouble(error) or not isinstance(error, OrgBusy | HostUnreachable))


def concerns_all(error: SalesforceError) -> bool:
    """Return whether an error inside a composite concerns every request, such as the daily limit."""
    return not concerns_one(error) and not isinstance(error, OrgBusy)
