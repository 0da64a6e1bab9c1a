"""What one run asks the org for all its endpoints at once: org, describes, probes. Nine requests for thirty."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sf_assets.errors import AnswerTorn, FieldInvalid, QueryTooComplicated, SalesforceError, SfAssetsError
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.salesforce.aggregates import row_count
from sf_assets.salesforce.client import Client
from sf_assets.salesforce.describe import SObject
from sf_assets.salesforce.wire import Query
from sf_assets.specs.model import EndpointSpec
from sf_assets.specs.soql import datetime_literal, select
from sf_assets.sync.limits import DAY, LOOKBACK
from sf_assets.sync.state import Probe, State
from sf_assets.sync.state_parts import utc_moment


@dataclass(frozen=True)
class Preflight:
    """The org's answers, by endpoint.

    `described`: None if the org serves no describe, an error if this object has none. `probes`: an error, or no entry,
    if the object could not be asked. `asked_at`: a moment before the first probe. `trials`: refused columns that were
    tried again today -> whether the org accepts them now. `trial_queries`: the queries for that; columns may share one.
    """

    org_id: str
    asked_at: datetime
    described: Mapping[str, SObject | SalesforceError | None]
    probes: Mapping[str, Probe | SalesforceError]
    trials: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    trial_queries: int = 0

    def probe(self, endpoint: str) -> Probe | None:
        """Return the endpoint's probe, or None if there is none that can be used."""
        answer = self.probes.get(endpoint)
        return answer if isinstance(answer, Probe) else None


def preflight(
    specs: Sequence[EndpointSpec],
    *,
    tables: IcebergTables,
    client: Client,
    read_deleted: bool,
    now: Callable[[], datetime],
) -> Preflight:
    """Log in, describe and probe all endpoints of a run. An endpoint's own error is a value in the result.

    Raises:
        SalesforceError: the login failed, or the org as a whole does not answer.
    """
    org_id = client.org_id()
    by_object = client.describe([spec.sobject for spec in specs], fresh=True)  # a new column must not wait for a cache
    described = {spec.endpoint: by_object[spec.sobject] for spec in specs}
    specs = [as_described(spec, described[spec.endpoint]) for spec in specs]
    asked_at = earliest(now(), client.server_time)
    askable = [spec for spec in specs if not isinstance(described[spec.endpoint], SalesforceError)]
    states = {spec.endpoint: _state(spec, tables, now=asked_at) for spec in askable}
    since = {spec.endpoint: probe_since(states[spec.endpoint]) if spec.how == "tail" else None for spec in askable}
    queries = [probe_query(spec, since[spec.endpoint], read_deleted=read_deleted) for spec in askable]
    trials = [
        trial
        for spec in askable
        for trial in _due_trials(spec, states[spec.endpoint], described[spec.endpoint], asked_at)
    ]
    answers = client.ask([*queries, *(trial.query for trial in trials)])
    probes = {
        spec.endpoint: answer if isinstance(answer, SalesforceError) else _probe(spec, since[spec.endpoint], answer)
        for spec, answer in zip(askable, answers[: len(queries)], strict=True)
    }
    return Preflight(
        org_id, asked_at, described, probes, _accepted(trials, answers[len(queries) :]), trial_queries=len(trials)
    )


def with_all_trials(preflight: Preflight, spec: EndpointSpec, *, tables: IcebergTables, client: Client) -> Preflight:
    """Try the endpoint's refused columns that this preflight has not tried; add the answers."""
    described, asked_at = preflight.described[spec.endpoint], preflight.asked_at
    trials_so_far = preflight.trials.get(spec.endpoint, {})
    if isinstance(described, SalesforceError):
        return preflight
    state = _state(spec, tables, now=asked_at)
    trials = [one for one in _due_trials(spec, state, described, None) if not set(one.columns) <= trials_so_far.keys()]
    accepted = _accepted(trials, client.ask([trial.query for trial in trials])).get(spec.endpoint, {})
    all_trials = {**preflight.trials, spec.endpoint: {**trials_so_far, **accepted}}
    return replace(preflight, trials=all_trials, trial_queries=preflight.trial_queries + len(trials))


def as_described(spec: EndpointSpec, described: SObject | SalesforceError | None) -> EndpointSpec:
    """Return the spec, as a snapshot if the org does not order the stamp."""
    if spec.how == "snapshot" or not isinstance(described, SObject):
        return spec
    stamps = [field for field in described.fields if field.name == spec.stamp]
    return spec if all(field.filterable and field.sortable for field in stamps) else replace(spec, how="snapshot")


def _state(spec: EndpointSpec, tables: IcebergTables, *, now: datetime) -> State | None:
    try:
        facts = tables.facts(spec.endpoint)
        state = State.from_json(facts.state) if facts and facts.state else None
        return None if state and state.is_ahead_of(now) else state
    except SfAssetsError:
        return None  # the endpoint's own sync meets the same error and names it


def probe_since(state: State | None) -> datetime | None:
    """Return the first stamp that a probe counts, or None for the whole object."""
    tail_from = state.position.tail_from if state else None
    return tail_from - LOOKBACK if tail_from else None


@dataclass(frozen=True)
class Trial:
    """A query of one row, to see if refused columns are accepted. `others` are selected with them."""

    spec: EndpointSpec
    columns: tuple[str, ...]
    others: tuple[str, ...] = ()

    @property
    def query(self) -> Query:
        """The query."""
        names = dict.fromkeys([*self.others, *self.columns])
        return Query(self.spec.sobject, select(list(names), self.spec.sobject, limit=1), all_rows=False)


def _due_trials(
    spec: EndpointSpec, state: State | None, described: SObject | SalesforceError | None, now: datetime | None
) -> list[Trial]:
    """Return trials of refused columns, last tried a day before `now` (None: of all).

    Columns that made a query too complicated are tried together, with all that is read.
    """
    if state is None:
        return []
    due = [name for name, tried_at in state.columns.refused.items() if now is None or now - tried_at >= DAY]
    trials = [Trial(spec, (name,)) for name in due if name not in state.columns.complicated]
    complicated = tuple(name for name in due if name in state.columns.complicated and not spec.is_excluded(name))
    if complicated:
        visible = {one.name for one in described.fields} if isinstance(described, SObject) else set(state.columns.read)
        trials.append(Trial(spec, complicated, tuple(name for name in state.columns.read if name in visible)))
    return trials


def _accepted(
    trials: Sequence[Trial], answers: Sequence[Mapping[str, object] | SalesforceError]
) -> dict[str, dict[str, bool]]:
    """Return which refused columns are accepted now. Any other error says nothing of them."""
    accepted: dict[str, dict[str, bool]] = {}
    for trial, answer in zip(trials, answers, strict=True):
        is_refused = isinstance(answer, FieldInvalid | QueryTooComplicated)
        if is_refused or not isinstance(answer, SalesforceError):
            accepted.setdefault(trial.spec.endpoint, {}).update(dict.fromkeys(trial.columns, not is_refused))
    return accepted


def probe_query(spec: EndpointSpec, since: datetime | None, *, read_deleted: bool) -> Query:
    """Return the query for COUNT(Id) and MAX of the stamp under the spec's own filter."""
    where = [*own_filter(spec), *([f"{spec.stamp} >= {datetime_literal(since)}"] if since else [])]
    soql = select(["COUNT(Id)", f"MAX({spec.stamp})"], spec.sobject, where=where)
    return Query(spec.sobject, soql, all_rows=read_deleted and spec.has_is_deleted)


def own_filter(spec: EndpointSpec) -> list[str]:
    """Return the WHERE of the spec, as a list of at most one condition."""
    return [spec.query.where] if spec.query.where else []


def earliest(*moments: datetime | None) -> datetime:
    """Return the earliest of several clocks. Trusting a clock that runs ahead is not safe."""
    return min(filter(None, moments))


def _probe(spec: EndpointSpec, since: datetime | None, answer: Mapping[str, object]) -> Probe | SalesforceError:
    """Return COUNT and MAX in any order and under any names, or an error."""
    try:
        count, ceiling = sorted(answer.values(), key=lambda value: not isinstance(value, int | float))
        if (rows := row_count([count])) is None:
            raise ValueError(f"{str(count)[:40]!r} is not a number of rows")
        return Probe(since, rows, utc_moment(str(ceiling)) if ceiling else None)
    except (TypeError, ValueError) as cause:
        return AnswerTorn(f"{spec.sobject}: the answer to COUNT and MAX cannot be read: {cause}")
