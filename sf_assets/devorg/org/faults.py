"""Scripted faults: rules for which requests fail, and how. The first rule that applies decides.

Refusals by name are in `refusal_catalog.py`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from random import Random
from typing import Any

from sf_assets.devorg.api_errors import Refusal
from sf_assets.devorg.org.refusal_catalog import DATA_REFUSALS, LOGIN_REFUSALS, QUERY_REFUSALS, check_name, data_refusal

QUERY_KINDS = frozenset({"query", "queryAll", "jobs"})
HTML = b"<html><head><title>Error</title></head><body><h1>We are down for maintenance.</h1></body></html>"


@dataclass(frozen=True, eq=False)
class Fault:
    """One rule: first when it applies (all that is given must fit), then what happens."""

    kind: str | None = None  # query, queryAll, more, describe, composite, token ...
    path: str | None = None  # a piece of the path
    sobject: str | None = None
    soql: str | None = None  # a piece of the statement, such as COUNT(
    number: int | None = None  # the number of the request, from 1
    after: int = 0  # let this many matching requests pass first
    times: int | None = 1  # strike so often; None: always
    probability: float = 1.0
    seed: int = 0

    status: int | None = None  # None: the true answer, only late, cut or reset
    refusal: str | None = None  # a name of refusal_catalog, instead of status, error_code and message
    error_code: str | None = None
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None  # the whole body, instead of error_code and message
    html: bool = False  # an HTML page as the body
    delay_seconds: float = 0.0
    reset: bool = False  # the connection is reset without an answer
    truncate: bool = False  # half of the announced body, then the connection is closed
    lost_rows: tuple[int, ...] = ()  # the page lacks the rows at these places; totalSize still counts them

    def __post_init__(self) -> None:
        if self.refusal is not None:
            check_name(self.refusal)

    def fits(self, *, number: int, kind: str, path: str, sobject: str | None, soql: str = "") -> bool:
        """Return whether the rule applies to a request."""
        if (self.refusal in LOGIN_REFUSALS) != (kind == "token") and self.refusal is not None:
            return False  # a login is refused in other words than a data call
        if self.refusal in QUERY_REFUSALS and kind not in QUERY_KINDS:
            return False
        wanted = ((self.kind, kind), (self.sobject, sobject), (self.number, number))
        pieces = ((self.path, path), (self.soql, soql))
        return all(want in (None, is_) for want, is_ in wanted) and all(
            piece is None or piece.lower() in whole.lower() for piece, whole in pieces
        )

    @property
    def response_status(self) -> int | None:
        """The status to answer with, or None for the true answer."""
        if self.refusal is None:
            return self.status
        return DATA_REFUSALS[self.refusal][0] if self.refusal in DATA_REFUSALS else 400

    def without_lost_rows(self, body: bytes) -> bytes:
        """Return a page of rows without the lost ones."""
        page = json.loads(body)
        lost = {place % len(page["records"]) for place in self.lost_rows if page["records"]}
        page["records"] = [record for place, record in enumerate(page["records"]) if place not in lost]
        return json.dumps(page).encode()

    def response_body(self) -> bytes:
        """Return the body to answer with."""
        if self.body is not None:
            return self.body.encode()
        if self.html:
            return HTML
        if self.refusal in LOGIN_REFUSALS:
            error, description = LOGIN_REFUSALS[self.refusal]
            return json.dumps({"error": error, "error_description": description}).encode()
        if self.refusal is not None:
            return data_refusal(self.refusal).body()
        return Refusal(0, self.error_code, self.message).body() if self.error_code else b""


def fault_from(settings: Mapping[str, Any]) -> Fault:
    """Return a fault from JSON.

    Raises:
        ValueError: A name is unknown; the message lists the known ones.
    """
    if not isinstance(settings, Mapping):
        raise ValueError("a fault must be a JSON object")
    names = [entry.name for entry in fields(Fault)]
    unknown = sorted(set(settings) - set(names))
    if unknown:
        raise ValueError(f"a fault has no {', '.join(unknown)}; there are {', '.join(names)}")
    if "lost_rows" in settings:
        settings = {**settings, "lost_rows": tuple(settings["lost_rows"])}
    return Fault(**settings)


def fault_json(fault: Fault) -> dict[str, Any]:
    return asdict(fault)


class FaultMatcher:
    """The faults of an org, with counts of how often each applied."""

    def __init__(self, rules: Iterable[Fault]) -> None:
        self.rules = rules
        self._met: dict[Fault, int] = {}
        self._struck: dict[Fault, int] = {}
        self._dice: dict[Fault, Random] = {}

    def match_fault(self, *, number: int, kind: str, path: str, sobject: str | None, soql: str = "") -> Fault | None:
        """Return the first rule that applies to a request, or None."""
        for rule in list(self.rules):
            if rule.fits(number=number, kind=kind, path=path, sobject=sobject, soql=soql) and self._fires(rule):
                return rule
        return None

    def _fires(self, rule: Fault) -> bool:
        self._met[rule] = self._met.get(rule, 0) + 1
        spent = rule.times is not None and self._struck.get(rule, 0) >= rule.times
        if spent or self._met[rule] <= rule.after:
            return False
        if self._dice.setdefault(rule, Random(rule.seed)).random() >= rule.probability:
            return False
        self._struck[rule] = self._struck.get(rule, 0) + 1
        return True
