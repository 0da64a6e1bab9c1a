"""Features that an org or a gateway may lack, and the errors that show it.

The fallbacks: composite -> one GET at a time; describe -> the catalogue's columns; queryAll -> query without deleted
rows; aggregates -> no probe, every row is read.
"""

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


class Capabilities:
    """The features that this org or gateway lacks; shared by the flows of one client."""

    def __init__(self) -> None:
        self._missing: dict[Feature, None] = {}

    def has(self, feature: Feature) -> bool:
        """Return whether the feature is served, as far as the client knows."""
        return feature not in self._missing

    def mark_missing(self, feature: Feature) -> None:
        """Mark the feature as not served."""
        self._missing.setdefault(feature)

    @property
    def missing(self) -> tuple[Feature, ...]:
        """The features that turned out to be missing, in that order."""
        return tuple(self._missing)


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
