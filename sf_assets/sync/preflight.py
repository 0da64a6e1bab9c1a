"""What one run learns of all its endpoints at once: org, describes, probes. Nine requests for thirty endpoints."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sf_assets.errors import AnswerTorn, SalesforceError, SfAssetsError
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.salesforce.client import Client
from sf_assets.salesforce.describe import SObject
from sf_assets.salesforce.wire import Query
from sf_assets.specs.model import STAMP, EndpointSpec
from sf_assets.specs.soql import datetime_literal, select
from sf_assets.sync.state import LOOKBACK, Probe, State, is_deep_due


@dataclass(frozen=True)
class Preflight:
    """By endpoint: `described` (None: the org serves no describe; an error: why this object has none) and `probes`
    (an error, or no entry, where the object could not be asked). `asked_at` is a moment before the first probe.
    `totals`: all rows of the org, of the endpoints that look deeper today."""

    org_id: str
    asked_at: datetime
    described: Mapping[str, SObject | SalesforceError | None]
    probes: Mapping[str, Probe | SalesforceError]
    totals: Mapping[str, int] = field(default_factory=dict)


def survey(
    specs: Sequence[EndpointSpec],
    *,
    warehouse: IcebergTables,
    client: Client,
    read_deleted: bool,
    now: Callable[[], datetime],
) -> Preflight:
    """Log in, describe and probe all endpoints of a run.

    Raises what login raises; an endpoint's own trouble is a value in the survey.
    """
    org_id = client.org_id()
    by_object = client.describe([spec.sobject for spec in specs], fresh=True)  # a new column must not wait for a cache
    described = {spec.endpoint: by_object[spec.sobject] for spec in specs}
    asked_at = earliest(now(), client.server_time)
    askable = [spec for spec in specs if not isinstance(described[spec.endpoint], SalesforceError)]
    states = {spec.endpoint: _state(spec, warehouse) for spec in askable}
    since = {name: probe_since(state) for name, state in states.items()}
    counted = [spec for spec in askable if _is_counted(spec, states[spec.endpoint], asked_at)]
    # totals first: a row that comes between the two questions must not look like one that the table lacks
    queries = [count_query(spec, read_deleted=read_deleted) for spec in counted]
    queries += [probe_query(spec, since[spec.endpoint], read_deleted=read_deleted) for spec in askable]
    told = client.ask(queries)
    totals, answers = told[: len(counted)], told[len(counted) :]
    probes = {
        spec.endpoint: answer if isinstance(answer, SalesforceError) else _probe(spec, since[spec.endpoint], answer)
        for spec, answer in zip(askable, answers, strict=True)
    }
    return Preflight(org_id, asked_at, described, probes, _totals(counted, totals))


def _state(spec: EndpointSpec, warehouse: IcebergTables) -> State | None:
    """The state of a tail; a snapshot is asked whole, whatever its state."""
    if spec.how == "snapshot":
        return None
    try:
        facts = warehouse.facts(spec.endpoint)
    except SfAssetsError:
        return None  # the endpoint's own sync meets the same error and names it
    return State.from_json(facts.state) if facts and facts.state else None


def probe_since(state: State | None) -> datetime | None:
    """The first stamp that a probe looks at; None for the whole object."""
    return state.tail_from - LOOKBACK if state and state.tail_from else None


def _is_counted(spec: EndpointSpec, state: State | None, now: datetime) -> bool:
    """A table that forgets deleted rows lacks what the org counts."""
    if state is None or state.tail_from is None or state.walk is not None:
        return False
    return is_deep_due(state, now) and spec.deleted == "mark"


def _totals(
    counted: Sequence[EndpointSpec], answers: Sequence[Mapping[str, object] | SalesforceError]
) -> dict[str, int]:
    """A count that was refused, or that is none, is no news: it is asked again tomorrow."""
    told = {
        spec.endpoint: None if isinstance(answer, SalesforceError) else next(iter(answer.values()), None)
        for spec, answer in zip(counted, answers, strict=True)
    }
    return {endpoint: int(count) for endpoint, count in told.items() if isinstance(count, int | float)}


def count_query(spec: EndpointSpec, *, read_deleted: bool) -> Query:
    """COUNT(Id) of the whole object under the spec's own filter."""
    soql = select(["COUNT(Id)"], spec.sobject, where=own_filter(spec))
    return Query(spec.sobject, soql, all_rows=read_deleted and spec.has_is_deleted)


def probe_query(spec: EndpointSpec, since: datetime | None, *, read_deleted: bool) -> Query:
    """COUNT(Id), MAX(SystemModstamp) under the spec's own filter."""
    where = [*own_filter(spec), *([f"{STAMP} >= {datetime_literal(since)}"] if since else [])]
    soql = select(["COUNT(Id)", f"MAX({STAMP})"], spec.sobject, where=where)
    return Query(spec.sobject, soql, all_rows=read_deleted and spec.has_is_deleted)


def own_filter(spec: EndpointSpec) -> list[str]:
    """The WHERE of the spec, as a list of at most one condition."""
    return [spec.query.where] if spec.query.where else []


def earliest(*moments: datetime | None) -> datetime:
    """The earliest of the clocks that answered: reading too much is safe, believing a clock that runs ahead is not."""
    return min(filter(None, moments))


def _probe(spec: EndpointSpec, since: datetime | None, answer: Mapping[str, object]) -> Probe | SalesforceError:
    """Read COUNT and MAX, in whatever order and under whatever names they came; what is neither is no probe."""
    try:
        count, ceiling = sorted(answer.values(), key=lambda value: not isinstance(value, int | float))
        moment = datetime.fromisoformat(str(ceiling)) if ceiling else None
        if moment and moment.tzinfo is None:
            raise ValueError("a moment without an offset")
        return Probe(since, int(count), moment)  # type: ignore[call-overload]
    except (TypeError, ValueError) as cause:
        return AnswerTorn(f"{spec.sobject}: COUNT and MAX came in no form that can be read: {cause}")
