"""What a run would cost before it reads anything: calls, minutes, share of the quota, and what a day costs.

`sync` plans each endpoint, and its batches are never drained: plan and run decide alike.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil

from sf_assets.errors import QuotaSpent, SalesforceError, SfAssetsError
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.planning.daily_calls import DayCost, Size, day_cost
from sf_assets.planning.read_steps import ReadStep, is_first_copy, read_steps
from sf_assets.salesforce.aggregates import row_count
from sf_assets.salesforce.bulk import BulkQuota, bulk_quota
from sf_assets.salesforce.client import Client
from sf_assets.salesforce.limits import COMPOSITE_QUERIES, COMPOSITE_REQUESTS
from sf_assets.salesforce.org_info import record_counts
from sf_assets.salesforce.wire import Query
from sf_assets.specs.model import EndpointSpec
from sf_assets.specs.soql import select
from sf_assets.sync.endpoint import Sync, sync
from sf_assets.sync.preflight import Preflight, own_filter, preflight
from sf_assets.sync.report import DeploymentOptions, RunOptions, SyncReport
from sf_assets.sync.state import Probe


@dataclass(frozen=True)
class BulkPrice:
    """The calls of a read of the whole object, by a Bulk query job and by REST.

    `why_rest`: why the run takes REST, or None if it takes the job.
    """

    bulk_calls: int
    rest_calls: int
    why_rest: str | None


@dataclass(frozen=True)
class EndpointPlan:
    """What one endpoint would read. `kind` is the sync's own word.

    `error`: why it cannot be planned; nothing else is set then. `is_approximate`: the org did not count the rows, so
    they are its rough number. `bulk`: both prices, if the object is read as a whole.
    """

    spec: EndpointSpec
    kind: str
    rows: int = 0
    calls: int = 0
    is_first: bool = False
    is_approximate: bool = False
    report: SyncReport | None = None
    error: SfAssetsError | None = None
    bulk: BulkPrice | None = None

    @property
    def uses_bulk_job(self) -> bool:
        """Whether a Bulk query job reads the object."""
        return self.bulk is not None and self.bulk.why_rest is None


@dataclass(frozen=True)
class Budget:
    """What may still be sent: the org's usage of 24 hours against its limit, our own calls against a cap.

    None: the org reports no usage or limit, or there is no cap.
    """

    used: int | None = None
    limit: int | None = None
    own_calls: int = 0
    cap: int | None = None

    def left(self, reserve: float) -> int | None:
        """Return the calls before a reserve or the cap, or None if unlimited."""
        by_org = None if self.used is None or self.limit is None else int(self.limit * (1 - reserve)) - self.used
        by_cap = None if self.cap is None else self.cap - self.own_calls
        bounds = [bound for bound in (by_org, by_cap) if bound is not None]
        return max(0, min(bounds)) if bounds else None


@dataclass(frozen=True)
class Plan:
    """A run over some endpoints, priced. `shared_calls` are describes and probes of all; a login costs no quota.

    `bulk_quota`: what the org still allows of Bulk today, if the run uses it and the org says.
    """

    endpoints: tuple[EndpointPlan, ...]
    shared_calls: int
    requests_per_second: float
    budget: Budget
    deployment: DeploymentOptions
    day: DayCost
    bulk_quota: BulkQuota | None = None

    @property
    def calls(self) -> int:
        """All calls of the run."""
        return self.shared_calls + sum(endpoint.calls for endpoint in self.endpoints)

    @property
    def minutes(self) -> float:
        """The shortest time that the run takes, at the rate that is allowed now."""
        return self.calls / self.requests_per_second / 60

    @property
    def first_calls(self) -> int:
        """The calls of endpoints that were never read completely."""
        return sum(endpoint.calls for endpoint in self.endpoints if endpoint.is_first)

    @property
    def bulk_left(self) -> int | None:
        """The calls that first copies may still use."""
        return self.budget.left(self.deployment.first_copy_reserve)

    @property
    def crosses_reserve(self) -> bool:
        """Whether the reserve would stop first copies before they are complete."""
        left = self.bulk_left
        return self.first_calls > 0 and left is not None and self.shared_calls + self.first_calls > left


def build_plan(
    specs: Sequence[EndpointSpec],
    *,
    tables: IcebergTables,
    client: Client,
    cadences: Mapping[str, str],
    now: Callable[[], datetime],
    run: RunOptions = RunOptions(),  # noqa: B008 - frozen
    deployment: DeploymentOptions = DeploymentOptions(),  # noqa: B008 - frozen
) -> Plan:
    """Ask the org what a run would ask, and count what it would read.

    It costs the run's own shared calls and one or two more. `cadences`: endpoint -> word, of automated endpoints.
    """
    answers = preflight(specs, tables=tables, client=client, read_deleted=deployment.read_deleted, now=now)

    def planned(spec: EndpointSpec) -> Sync | SfAssetsError:
        try:
            return sync(
                spec, preflight=answers, tables=tables, client=client, run=run, deployment=deployment, now=now
            )  # fmt: skip
        except SfAssetsError as error:
            return error

    counting = _Counting(client, deployment, answers)
    endpoints = tuple(counting.endpoint_plans(specs, {spec.endpoint: planned(spec) for spec in specs}))
    sizes = {plan.spec.endpoint: counting.size(plan) for plan in endpoints}
    return Plan(
        endpoints=endpoints,
        shared_calls=shared_calls(len(specs), queries=len(answers.probes) + answers.trial_queries),
        requests_per_second=client.ledger.standing().pace.rate,
        budget=budget_of(client),
        deployment=deployment,
        day=day_cost([spec for spec in specs if spec.endpoint in cadences], cadences, sizes, deployment),
        bulk_quota=_ask_bulk_quota(client) if any(plan.uses_bulk_job for plan in endpoints) else None,
    )


def _ask_bulk_quota(client: Client) -> BulkQuota | None:
    try:
        return client.drive(bulk_quota(version=client.version))
    except QuotaSpent:
        raise
    except SalesforceError:
        return None


def budget_of(client: Client) -> Budget:
    """Return what the client's ledger knows of the day."""
    quota = client.ledger.standing().quota
    used, limit = (quota.usage.used + quota.sent_since, quota.usage.limit) if quota.usage else (None, None)
    return Budget(used, limit or None, quota.own_calls, quota.cap)


def shared_calls(endpoints: int, *, queries: int) -> int:
    """Return a run's shared calls: describes, probes and counts."""
    return ceil(endpoints / COMPOSITE_REQUESTS) + ceil(queries / COMPOSITE_QUERIES)


def refuse_unaffordable(planned: Sync, *, preflight: Preflight, client: Client, deployment: DeploymentOptions) -> None:
    """Refuse a first copy that the reserve would stop before it is complete. It asks the org nothing.

    A copy that has started goes on, and an org that reports no quota refuses nothing.

    Raises:
        QuotaSpent: too few of today's calls are left.
    """
    if not is_first_copy(planned):
        return
    counted = [step for step in read_steps(planned, preflight) if step.rows is not None]
    calls, rows = sum(step.calls for step in counted), sum(step.rows or 0 for step in counted)
    budget = budget_of(client)
    left = budget.left(deployment.first_copy_reserve)
    if left is None or calls <= left:
        return
    raise QuotaSpent(
        f"budget too small: the first copy of {planned.spec.sobject}, {rows:,} rows, takes {calls:,} calls, and"
        f" {left:,} are left today before the reserve of {deployment.first_copy_reserve:.0%}",
        remedy="Launch it when more calls are left (sf-assets plan), or without spread_over_days: false: then it stops"
        " at the reserve and goes on in the next runs.",
        calls=calls, left=left, used=budget.used, limit=budget.limit,
    )  # fmt: skip


Answer = Mapping[str, object] | SalesforceError


class _Counting:
    """The counts that the preflight left open: five to a call, one call for rough ones."""

    def __init__(self, client: Client, deployment: DeploymentOptions, answers: Preflight) -> None:
        self._client, self._deployment, self._preflight = client, deployment, answers
        self._rough: Mapping[str, int] | None = None

    def endpoint_plans(
        self, specs: Sequence[EndpointSpec], planned: Mapping[str, Sync | SfAssetsError]
    ) -> list[EndpointPlan]:
        """Return a plan for each spec; all open counts are asked together."""
        syncs = {endpoint: one for endpoint, one in planned.items() if isinstance(one, Sync)}
        steps = {endpoint: read_steps(one, self._preflight) for endpoint, one in syncs.items()}
        uncounted = [(spec, step) for spec in specs for step in steps.get(spec.endpoint, ()) if step.rows is None]
        answers = self._client.ask([self._count_query(spec, step) for spec, step in uncounted])
        counts = {(spec.endpoint, step): answer for (spec, step), answer in zip(uncounted, answers, strict=True)}
        return [self._plan(spec, planned[spec.endpoint], steps.get(spec.endpoint, []), counts) for spec in specs]

    def size(self, plan: EndpointPlan) -> Size:
        """Return the endpoint's rows, by a probe of the whole object or by the table."""
        probe = self._preflight.probe(plan.spec.endpoint)
        table_rows = plan.report.planned.table_rows if plan.report else 0
        rows = probe.count if probe and probe.since is None else table_rows
        return Size(rows, bool(plan.report and plan.report.planned.calculated))

    def _count_query(self, spec: EndpointSpec, step: ReadStep) -> Query:
        soql = select(["COUNT(Id)"], spec.sobject, where=[*own_filter(spec), *step.where])
        return Query(spec.sobject, soql, all_rows=self._deployment.read_deleted and spec.has_is_deleted)

    def _plan(
        self,
        spec: EndpointSpec,
        planned: Sync | SfAssetsError,
        steps: Sequence[ReadStep],
        counts: Mapping[tuple[str, ReadStep], Answer],
    ) -> EndpointPlan:
        if isinstance(planned, SfAssetsError):
            return EndpointPlan(spec, "failed", error=planned)
        answers = [counts.get((spec.endpoint, step)) for step in steps]
        counted_steps = [self._with_rows(spec, step, answer) for step, answer in zip(steps, answers, strict=True)]
        more_calls = self._newest_calls(spec, planned) + planned.comparison_calls
        return EndpointPlan(
            spec,
            planned.report.kind,
            rows=sum(step.rows or 0 for step in counted_steps),
            calls=sum(step.calls for step in counted_steps) + more_calls,
            is_first=is_first_copy(planned),
            is_approximate=any(isinstance(answer, SalesforceError) for answer in answers),
            report=planned.report,
            bulk=self._bulk_price(planned, counted_steps),
        )

    def _bulk_price(self, planned: Sync, steps: Sequence[ReadStep]) -> BulkPrice | None:
        if planned.step is None or (planned.bulk is None and planned.why_rest is None):
            return None
        whole, *others = steps
        tail = sum(step.calls for step in others)
        by_bulk, by_rest = replace(whole, bulk=self._deployment.bulk_limits), replace(whole, bulk=None)
        return BulkPrice(by_bulk.calls + tail, by_rest.calls + tail, planned.why_rest)

    def _with_rows(self, spec: EndpointSpec, step: ReadStep, answer: Answer | None) -> ReadStep:
        if answer is None:
            return step
        rows = None if isinstance(answer, SalesforceError) else row_count(answer.values())
        return replace(step, rows=self._rough_count(spec) if rows is None else rows)

    def _newest_calls(self, spec: EndpointSpec, planned: Sync) -> int:
        """Return the extra call of an endpoint without a probe: the newest stamp."""
        is_read = planned.step is not None and planned.step.kind != "unchanged"
        return int(is_read and self._preflight.probe(spec.endpoint) is None)

    def _rough_count(self, spec: EndpointSpec) -> int:
        """Return the org's rough number of rows, for an object that it could not count."""
        if self._rough is None:
            refused = [name for name, answer in self._preflight.probes.items() if not isinstance(answer, Probe)]
            self._rough = self._rough_counts([*refused, spec.endpoint], spec)
        return self._rough.get(spec.sobject, 0)

    def _rough_counts(self, endpoints: Sequence[str], spec: EndpointSpec) -> Mapping[str, int]:
        described = (self._preflight.described.get(endpoint) for endpoint in endpoints)
        names = {spec.sobject, *(one.name for one in described if one is not None and hasattr(one, "name"))}
        try:
            return self._client.drive(record_counts(sorted(names), version=self._client.version))
        except QuotaSpent:
            raise
        except SalesforceError:
            return {}
