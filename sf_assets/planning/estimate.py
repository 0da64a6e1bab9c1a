"""What a run would cost before anything of it is read: calls, minutes, share of the quota, and what a day costs.

Each endpoint is planned by `sync` itself, whose batches are never drained: plan and run take the same decision.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil

from sf_assets.errors import QuotaSpent, SalesforceError, SfAssetsError
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.planning.daily_calls import DayCost, day_cost
from sf_assets.planning.read_steps import ReadStep, is_first_copy, legs
from sf_assets.salesforce.client import Client
from sf_assets.salesforce.composite import DESCRIBES, QUERIES
from sf_assets.salesforce.org_info import record_counts
from sf_assets.salesforce.wire import Query
from sf_assets.specs.model import EndpointSpec
from sf_assets.specs.soql import select
from sf_assets.sync.endpoint import Sync, sync
from sf_assets.sync.preflight import Preflight, own_filter, survey
from sf_assets.sync.report import Options, SyncReport
from sf_assets.sync.state import Probe


@dataclass(frozen=True)
class EndpointPlan:
    """What one endpoint would read. `rows` and `calls` are those of the run, `kind` is the sync's word for it.

    `error`: why it cannot be planned, with its remedy; nothing else is known then. `is_approximate`: the org did not
    count the rows, so they are its rough number.
    """

    spec: EndpointSpec
    kind: str
    rows: int = 0
    calls: int = 0
    is_first: bool = False
    is_approximate: bool = False
    record: SyncReport | None = None
    error: SfAssetsError | None = None


@dataclass(frozen=True)
class Budget:
    """What may still be sent: the org's usage of 24 hours against its limit (None: not told), our own against a cap."""

    used: int | None = None
    limit: int | None = None
    own_calls: int = 0
    cap: int | None = None

    def left(self, reserve: float) -> int | None:
        """The calls that may still be sent before a reserve or the cap is reached; None when nothing bounds them."""
        by_org = None if self.used is None or self.limit is None else int(self.limit * (1 - reserve)) - self.used
        by_cap = None if self.cap is None else self.cap - self.own_calls
        bounds = [bound for bound in (by_org, by_cap) if bound is not None]
        return max(0, min(bounds)) if bounds else None


@dataclass(frozen=True)
class Plan:
    """A run over some endpoints, priced. `shared_calls` are describes and probes of all; the login costs no quota."""

    endpoints: tuple[EndpointPlan, ...]
    shared_calls: int
    requests_per_second: float
    budget: Budget
    options: Options
    day: DayCost

    @property
    def calls(self) -> int:
        """All calls of the run."""
        return self.shared_calls + sum(endpoint.calls for endpoint in self.endpoints)

    @property
    def minutes(self) -> float:
        """The least that the run takes, at the rate that is allowed now."""
        return self.calls / self.requests_per_second / 60

    @property
    def first_calls(self) -> int:
        """The calls of the endpoints that were never read through."""
        return sum(endpoint.calls for endpoint in self.endpoints if endpoint.is_first)

    @property
    def bulk_left(self) -> int | None:
        """The calls that first copies may still use."""
        return self.budget.left(max(self.options.quota_reserve, self.options.bulk_reserve))

    @property
    def crosses_reserve(self) -> bool:
        """Whether first copies would be stopped by the reserve before they are complete."""
        left = self.bulk_left
        return self.first_calls > 0 and left is not None and self.shared_calls + self.first_calls > left


def build_plan(
    specs: Sequence[EndpointSpec], *, warehouse: IcebergTables, client: Client, options: Options,
    cadences: Mapping[str, str], now: Callable[[], datetime],
) -> Plan:  # fmt: skip
    """Ask the org what a run over these endpoints asks it, and count what it would read then.

    Costs the run's own shared calls and one or two more. `cadences`: endpoint -> word, of those that run by themselves.
    """
    known = survey(specs, warehouse=warehouse, client=client, read_deleted=options.read_deleted, now=now)
    begun = {
        spec.endpoint: _begun(spec, known, warehouse=warehouse, client=client, options=options, now=now)
        for spec in specs
    }
    asked = _Counting(client, options, known)
    endpoints = tuple(asked.endpoint_plans(specs, begun))
    sizes = {plan.spec.endpoint: asked.size(plan.spec) for plan in endpoints}
    return Plan(
        endpoints=endpoints,
        shared_calls=shared_calls(len(specs), asked=len(known.probes) + len(known.totals)),
        requests_per_second=client.ledger.standing().pace.rate,
        budget=budget_of(client),
        options=options,
        day=day_cost([spec for spec in specs if spec.endpoint in cadences], cadences, sizes),
    )


def budget_of(client: Client) -> Budget:
    """What the books of the client say of the day."""
    quota = client.ledger.standing().quota
    used, limit = (quota.usage.used + quota.sent_since, quota.usage.limit) if quota.usage else (None, None)
    return Budget(used, limit or None, quota.own_calls, quota.cap)


def shared_calls(endpoints: int, *, asked: int) -> int:
    """The calls that a run makes for all its endpoints together: describes, and `asked` probes and counts."""
    return ceil(endpoints / DESCRIBES) + ceil(asked / QUERIES)


def refuse_too_dear(begun: Sync, *, known: Preflight, client: Client, options: Options) -> None:
    """Raise QuotaSpent for a first copy that would be stopped by the reserve before it is complete.

    Nothing is asked for it. A copy that is under way goes on, and where the org tells no quota all is begun.
    """
    if not is_first_copy(begun):
        return
    calls = sum(leg.calls for leg in legs(begun, known) if leg.rows is not None)
    budget = budget_of(client)
    left = budget.left(max(options.quota_reserve, options.bulk_reserve))
    if left is None or calls <= left:
        return
    rows = sum(leg.rows or 0 for leg in legs(begun, known))
    raise QuotaSpent(
        f"budget too small: the first copy of {begun.spec.sobject}, {rows:,} rows, takes {calls:,} calls, and {left:,}"
        f" are left today before the reserve of {max(options.quota_reserve, options.bulk_reserve):.0%}",
        remedy="Launch it when more calls are left (sf-assets plan), or without spread_over_days: false: then it stops"
        " at the reserve and goes on in the next runs.",
        calls=calls, left=left, used=budget.used, limit=budget.limit,
    )  # fmt: skip


def _begun(
    spec: EndpointSpec, known: Preflight, *, warehouse: IcebergTables, client: Client, options: Options,
    now: Callable[[], datetime],
) -> Sync | SfAssetsError:  # fmt: skip
    try:
        return sync(spec, survey=known, warehouse=warehouse, client=client, options=options, now=now)
    except SfAssetsError as error:
        return error


class _Counting:
    """Asks for the numbers of rows that the survey left open: five to a call, and one call for rough ones."""

    def __init__(self, client: Client, options: Options, known: Preflight) -> None:
        self._client, self._options, self._known = client, options, known
        self._rough: Mapping[str, int] | None = None

    def endpoint_plans(
        self, specs: Sequence[EndpointSpec], begun: Mapping[str, Sync | SfAssetsError]
    ) -> list[EndpointPlan]:
        """Return a plan for each spec, all open questions asked together."""
        wanted = {
            spec.endpoint: legs(planned, self._known)
            for spec in specs
            if isinstance(planned := begun[spec.endpoint], Sync)
        }
        open_legs = [(spec, leg) for spec in specs for leg in wanted.get(spec.endpoint, ()) if leg.rows is None]
        answers = self._client.ask([self._question(spec, leg) for spec, leg in open_legs])
        counted = {(spec.endpoint, leg): answer for (spec, leg), answer in zip(open_legs, answers, strict=True)}
        return [self._plan(spec, begun[spec.endpoint], wanted.get(spec.endpoint, []), counted) for spec in specs]

    def size(self, spec: EndpointSpec) -> int:
        """The number of rows of a snapshot endpoint, which a probe counts whole; 0 where it was not counted."""
        answer = self._known.probes.get(spec.endpoint)
        return answer.count if isinstance(answer, Probe) and answer.since is None else 0

    def _question(self, spec: EndpointSpec, leg: ReadStep) -> Query:
        soql = select(["COUNT(Id)"], spec.sobject, where=[*own_filter(spec), *leg.where])
        return Query(spec.sobject, soql, all_rows=self._options.read_deleted and spec.has_is_deleted)

    def _plan(
        self, spec: EndpointSpec, begun: Sync | SfAssetsError, wanted: Sequence[ReadStep],
        counted: Mapping[tuple[str, ReadStep], Mapping[str, object] | SalesforceError],
    ) -> EndpointPlan:  # fmt: skip
        if isinstance(begun, SfAssetsError):
            return EndpointPlan(spec, "failed", error=begun)
        answers = [counted.get((spec.endpoint, leg)) for leg in wanted]
        read = [self._filled(spec, leg, answer) for leg, answer in zip(wanted, answers, strict=True)]
        return EndpointPlan(
            spec,
            begun.record.kind,
            rows=sum(leg.rows or 0 for leg in read),
            calls=sum(leg.calls for leg in read) + self._extra(spec, begun),
            is_first=is_first_copy(begun),
            is_approximate=any(isinstance(answer, SalesforceError) for answer in answers),
            record=begun.record,
        )

    def _filled(
        self, spec: EndpointSpec, leg: ReadStep, answer: Mapping[str, object] | SalesforceError | None
    ) -> ReadStep:
        if answer is None:
            return leg
        rows = self._rough_count(spec) if isinstance(answer, SalesforceError) else int(str(next(iter(answer.values()))))
        return replace(leg, rows=rows)

    def _extra(self, spec: EndpointSpec, begun: Sync) -> int:
        """Without a probe the newest stamp is asked for by a query of its own."""
        is_read = begun.step is not None and begun.step.kind != "unchanged"
        return int(is_read and not isinstance(self._known.probes.get(spec.endpoint), Probe))

    def _rough_count(self, spec: EndpointSpec) -> int:
        """The org's rough number of rows, for an object that it could not count."""
        if self._rough is None:
            refused = [name for name, answer in self._known.probes.items() if isinstance(answer, SalesforceError)]
            self._rough = self._roughly([*refused, spec.endpoint], spec)
        return self._rough.get(spec.sobject, 0)

    def _roughly(self, endpoints: Sequence[str], spec: EndpointSpec) -> Mapping[str, int]:
        described = (self._known.described.get(endpoint) for endpoint in endpoints)
        names = {spec.sobject, *(shown.name for shown in described if shown is not None and hasattr(shown, "name"))}
        try:
            return self._client.drive(record_counts(sorted(names), version=self._client.version))
        except QuotaSpent:
            raise
        except SalesforceError:
            return {}
