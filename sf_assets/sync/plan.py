"""Plan one sync from the org's answers and the table's metadata: its columns, its base state and its step."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from sf_assets.errors import ConfigError, ObjectUnavailable, SalesforceError
from sf_assets.iceberg.model import TableFacts
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.salesforce.client import Client
from sf_assets.salesforce.describe import SObject
from sf_assets.specs.model import EndpointSpec
from sf_assets.sync.bulk_choice import bulk_mode, why_rest
from sf_assets.sync.column_status import with_fractional, with_refused
from sf_assets.sync.columns import ColumnPlan, keep_fractions, plan_columns
from sf_assets.sync.decide import Step, SyncInput, decide_snapshot, decide_tail
from sf_assets.sync.hashing import mark_hashed
from sf_assets.sync.hashing_policy import annotate_hashing, refuse_other_key
from sf_assets.sync.preflight import Preflight, as_described, earliest
from sf_assets.sync.reconcile.method import is_day_over, quiet_calls
from sf_assets.sync.report import Calculated, DeploymentOptions, Kind, RunOptions
from sf_assets.sync.state import Probe, State, Walk, later
from sf_assets.sync.state_checks import owned_state, refuse_future


@dataclass(frozen=True)
class SyncPlan:
    """The plan of one sync. `step` is None for a re-read and for an object that is off.

    `stored`: the state in the table. `base`: the state that the read starts from, or None if nothing was read or the
    table is taken over from another org. `window`: COUNT and MAX of the table over the probe's predicate.
    `fractional`: API names of whole numbers with a second column for fractions. `is_unordered`: the org does not filter
    or sort by the stamp, so the object is read as a whole.
    """

    spec: EndpointSpec
    run: RunOptions
    deployment: DeploymentOptions
    preflight: Preflight
    facts: TableFacts | None
    stored: State | None
    base: State | None
    columns: ColumnPlan
    began_at: datetime
    window: tuple[int, datetime | None] | None = None
    step: Step | None = None
    unavailable: str | None = None
    fractional: frozenset[str] = frozenset()
    is_unordered: bool = False

    @property
    def kind(self) -> Kind:
        """How the object is read."""
        if self.unavailable:
            return "unavailable"
        return self.step.kind if self.step else "reread"

    @property
    def probe(self) -> Probe | None:
        """The org's answer to the endpoint's probe, if there is a usable one."""
        return self.preflight.probe(self.spec.endpoint)

    @property
    def blank(self) -> State:
        """The state of a table before anything is read."""
        state = with_fractional(State(self.preflight.org_id, self.spec.sobject), self.fractional)
        return annotate_hashing(state, self.spec, self.facts, key=self.deployment.hash_key)

    @property
    def untouched(self) -> State:
        """The state of a table that stays as it is. A full refresh that reads nothing changes no owner and no key."""
        return (self.stored if self.run.full_refresh else self.base) or self.blank

    @property
    def table_rows(self) -> int:
        """Rows in the table before the sync."""
        return self.facts.rows if self.facts else 0

    @cached_property
    def input(self) -> SyncInput:
        """The facts that the decision uses."""
        return SyncInput(
            readable=self.columns.read_names,
            probe=self.probe,
            window=self.window,
            table_rows=self.table_rows,
            filter=self.spec.query.where,
            now=self.began_at,
            backfill_calls=self.deployment.backfill_calls,
            reconcile=self.run.reconcile,
        )

    @property
    def is_bulk(self) -> bool:
        """Whether this is a first sync, a backfill or a full refresh."""
        return self.base is None or self.run.full_refresh or bool(self.step and self.step.walk)

    @cached_property
    def rows_planned(self) -> int | None:
        """The rows of the read, or None if unknown. A probe of the newest rows does not count all."""
        if self.probe is None or self.step is None:
            return None
        is_window = self.probe.since is not None and self.step.kind != "tail"
        return max(self.probe.count, self.table_rows if is_window else 0)

    @property
    def reads_whole_object(self) -> bool:
        """Whether the sync reads every row of the object."""
        return self.step is not None and (self.step.walk is not None or self.step.kind == "replace")

    @property
    def why_rest(self) -> str | None:
        """Why REST reads the whole object, or None if a Bulk query job does."""
        return why_rest(
            bulk_mode(self.spec, self.deployment),
            rows=self.rows_planned,
            columns=self.columns.read,
            walk=self.step.walk if self.step else None,
            limits=self.deployment.bulk_limits,
        )

    @property
    def uses_bulk_job(self) -> bool:
        """Whether a Bulk query job reads the whole object."""
        return self.reads_whole_object and self.why_rest is None

    @property
    def reserve(self) -> float:
        """The share of the day's calls that this sync leaves to others."""
        return self.deployment.first_copy_reserve if self.is_bulk else self.deployment.quota_reserve

    @property
    def refreshed(self) -> tuple[str, ...]:
        """API names of the columns that change without a stamp and are read again daily."""
        more = {name.lower() for name in self.spec.refreshed}
        has_refresh = calculated_mode(self.spec, self.deployment) == "refresh"
        columns = (c for c in self.columns.read if (c.calculated and has_refresh) or c.api_name.lower() in more)
        return tuple(column.api_name for column in columns)

    @property
    def comparison_calls(self) -> int:
        """The calls of a comparison without differences, or 0 if none is due."""
        if self.spec.how == "snapshot" or self.step is None or self.step.kind == "replace" or self.base is None:
            return 0
        if self.spec.is_append_only:
            return 0
        times = self.base.times
        is_due = self.run.reconcile or is_day_over(times.reconciled_at, self.began_at)
        if times.read_at is None or not is_due:
            return 0
        return quiet_calls(self.table_rows, refreshed=bool(self.refreshed), limits=self.deployment.comparison)

    @property
    def may_vanish(self) -> int | None:
        """How many rows a replace may remove, or None for any number."""
        if self.run.confirm_shrink or self.run.adopt_org:
            return None
        return max(self.deployment.shrink_rows, int(self.deployment.shrink_share * self.table_rows))


def plan_sync(
    spec: EndpointSpec,
    preflight: Preflight,
    tables: IcebergTables,
    client: Client,
    *,
    run: RunOptions,
    deployment: DeploymentOptions,
    now: Callable[[], datetime],
    fractional: frozenset[str] = frozenset(),
) -> SyncPlan:
    """Decide what one sync does. It reads the table's metadata and sends nothing.

    `fractional`: whole-number columns in which this sync has found fractions.
    """
    facts = tables.facts(spec.endpoint)
    stored = State.from_json(facts.state) if facts and facts.state else None
    if stored and not run.full_refresh:
        refuse_future(stored, spec.endpoint, now=later(now(), client.server_time) or now())
    owned = owned_state(spec, stored, preflight.org_id, run)
    described = preflight.described[spec.endpoint]
    spec_of_table, spec = spec, as_described(spec, described)
    refused = refused_columns(owned, preflight, spec.endpoint)
    base = owned and with_fractional(with_refused(owned, refused), fractional)
    fractional |= frozenset(base.columns.fractional if base else ())
    columns = keep_fractions(endpoint_columns(spec, described, deployment, dropped=refused), fractional)
    base = base and annotate_hashing(base, spec, facts, key=deployment.hash_key)
    refuse_other_key(None if run.full_refresh else owned, spec, facts, key=deployment.hash_key)
    plan = SyncPlan(
        spec=spec,
        run=run,
        deployment=deployment,
        preflight=preflight,
        facts=facts,
        stored=stored,
        base=base,
        columns=columns,
        began_at=earliest(now(), client.server_time),
        unavailable=str(described) if isinstance(described, ObjectUnavailable) else None,
        fractional=fractional,
        is_unordered=spec.how != spec_of_table.how,
    )
    return plan if plan.unavailable else _with_step(plan, tables)


def _with_step(plan: SyncPlan, tables: IcebergTables) -> SyncPlan:
    if plan.run.since or plan.run.until:
        _refuse_reread(plan)
        return plan
    if plan.run.full_refresh:
        step = _walk_again(plan) if plan.spec.is_append_only and plan.spec.how == "tail" else Step("replace")
        return replace(plan, window=_window(plan, tables), step=step)
    plan = replace(plan, window=_window(plan, tables))
    decide = decide_tail if plan.spec.how == "tail" else decide_snapshot
    return replace(plan, step=decide(plan.base, plan.input))


def _walk_again(plan: SyncPlan) -> Step:
    """Return a walk for a full refresh of an append-only table. Rows that the org's retention removed must stay."""
    return Step("walk", walk=Walk(None, plan.probe.ceiling if plan.probe else None, plan.began_at, plan.input.readable))


def _window(plan: SyncPlan, tables: IcebergTables) -> tuple[int, datetime | None] | None:
    """Return the table's count over the probe's predicate, or None before a complete read."""
    if plan.probe is None or plan.base is None or not plan.base.times.read_at:
        return None
    return tables.count_since(plan.spec.endpoint, plan.spec.stamp_column, plan.probe.since, of=plan.facts)


def _refuse_reread(plan: SyncPlan) -> None:
    if plan.spec.how == "tail" and plan.base is not None:
        return
    why = "is read as a whole each time" if plan.spec.how == "snapshot" else "has not been read yet"
    raise ConfigError(
        f"{plan.spec.endpoint}: since and until bound a re-read, but this endpoint {why}.",
        remedy="Run the endpoint without since and until.",
        endpoint=plan.spec.endpoint,
    )


def refused_columns(state: State | None, preflight: Preflight, endpoint: str) -> dict[str, datetime]:
    """Return the columns that the org still refuses, and when each was last tried."""
    trials, refused = preflight.trials.get(endpoint, {}), state.columns.refused if state else {}
    return {
        name: preflight.asked_at if name in trials else tried_at
        for name, tried_at in refused.items()
        if not trials.get(name)
    }


def endpoint_columns(
    spec: EndpointSpec,
    described: SObject | SalesforceError | None,
    deployment: DeploymentOptions,
    *,
    dropped: Collection[str] = (),
) -> ColumnPlan:
    """Plan the endpoint's columns, the hashed ones marked. `dropped` are API names that the org has refused."""
    fields = visible_fields(spec, described)
    columns = plan_columns(spec, fields, calculated=calculated_mode(spec, deployment), dropped=dropped)
    return mark_hashed(columns, spec, deployment.hash_key)


def calculated_mode(spec: EndpointSpec, deployment: DeploymentOptions) -> Calculated:
    """Return what becomes of the endpoint's formulas and roll-ups."""
    return deployment.calculated if spec.calculated == "default" else spec.calculated


def visible_fields(spec: EndpointSpec, described: SObject | SalesforceError | None) -> SObject | None:
    """Return the object's fields, empty if it is off, or None without describe.

    Raises:
        SalesforceError: the describe failed for another reason.
    """
    if isinstance(described, ObjectUnavailable):
        return SObject(spec.sobject, spec.sobject, ())
    if isinstance(described, SalesforceError):
        raise described
    return described
