"""One endpoint, from what the org and the table say to a stream of batches: the whole story on one screen."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Literal

from sf_assets.errors import ConfigError, ObjectUnavailable, SalesforceError, TableForeign
from sf_assets.iceberg.model import TableFacts
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.salesforce.client import Client
from sf_assets.salesforce.describe import SObject
from sf_assets.specs.model import EndpointSpec
from sf_assets.sync.columns import Column, ColumnPlan, plan_columns
from sf_assets.sync.hashing import private
from sf_assets.sync.hashing_policy import annotate_hashing, refuse_other_key
from sf_assets.sync.preflight import Preflight, earliest
from sf_assets.sync.reader import Reader
from sf_assets.sync.report import Options, SyncReport, unwatched
from sf_assets.sync.state import (
    Probe,
    Seen,
    State,
    Step,
    SyncInput,
    decide_snapshot,
    decide_tail,
    revealed_columns,
    with_hidden,
)
from sf_assets.sync.strategies import Batch, reread, tail, walk, whole
from sf_assets.sync.transitions import needs_state_commit, not_ahead

__all__ = ["Batch", "Options", "Sync", "SyncReport", "sync"]

SHRINK_ROWS, SHRINK_SHARE = 50, 0.02
"""A table may lose so many rows, or that share of them, without anybody's word."""


@dataclass(frozen=True)
class Sync:
    """What travels from an asset to the IO manager. The batches can be drained once; the record is complete then.

    `how`: "merge" by the spec's keys and SystemModstamp, or "replace" the table by the batches. `columns` are all of
    the table's columns. `may_vanish`: how many keys a replace may take away (None: any number). When the last state is
    not committed with rows and `record.settle` is true, the IO manager commits `record.final` alone. `step` is what was
    decided to be read; None for a re-read and for an object that is off. `facts`: the table as it was. `retype`: a
    replace may make columns of another type anew.
    """

    spec: EndpointSpec
    batches: Iterator[Batch]
    how: Literal["merge", "replace"]
    columns: tuple[Column, ...]
    base: State | None
    may_vanish: int | None
    record: SyncReport
    step: Step | None = None
    facts: TableFacts | None = None
    retype: bool = False


def sync(
    spec: EndpointSpec,
    *,
    survey: Preflight,
    warehouse: IcebergTables,
    client: Client,
    options: Options,
    now: Callable[[], datetime],
    watch: Callable[[SyncReport], None] = unwatched,
) -> Sync:
    """Plan the reading of one endpoint; no query of it is sent before the batches are drained.

    `watch` is called with the record after each page.

    Raises TableForeign for a table of another org or object, HashKeyChanged for one hashed with another key,
    ConfigError for options that do not fit, and what the describe of the object answered, unless the object is off.
    """
    facts = warehouse.facts(spec.endpoint)
    stored = State.from_json(facts.state) if facts and facts.state else None
    owned = owned_state(spec, stored, survey.org_id, options)
    base = owned and annotate_hashing(owned, spec, facts, key=options.hash_key)
    described = survey.described[spec.endpoint]
    columns = plan_columns(spec, shown_fields(spec, described), calculated=options.calculated)
    plan = private(columns, spec, options.hash_key)
    refuse_other_key(None if options.full_refresh else owned, spec, facts, key=options.hash_key)
    record = SyncReport(spec.endpoint, spec.sobject, survey.org_id, began_at=earliest(now(), client.server_time))
    tell_columns(record, spec, plan, base, facts)
    tell_org(record, client, survey)
    story = EndpointSync(spec, survey, warehouse, client, options, facts, stored, base, plan, record, watch)
    if isinstance(described, ObjectUnavailable):
        return story.unavailable(str(described))
    return story.planned()


def owned_state(spec: EndpointSpec, state: State | None, org_id: str, options: Options) -> State | None:
    """Return the table's state, if it is this org's and this object's; None when the table is to be taken over."""
    if state is None or (state.org_id[:15] == org_id[:15] and state.sobject == spec.sobject):
        return state
    if options.adopt_org and options.full_refresh:
        return None
    raise TableForeign(
        f"{spec.endpoint}: the table holds {state.sobject} of org {state.org_id}, not {spec.sobject} of org {org_id}.",
        endpoint=spec.endpoint, table_org=state.org_id, table_object=state.sobject, org=org_id, object=spec.sobject,
    )  # fmt: skip


def shown_fields(spec: EndpointSpec, described: SObject | SalesforceError | None) -> SObject | None:
    """Return the object as columns are planned from: an object that is off shows no field; None: no describe at all."""
    if isinstance(described, ObjectUnavailable):
        return SObject(spec.sobject, spec.sobject, ())
    if isinstance(described, SalesforceError):
        raise described
    return described


def tell_columns(
    record: SyncReport, spec: EndpointSpec, plan: ColumnPlan, base: State | None, facts: TableFacts | None
) -> None:
    """Write into the record which columns are missing, hidden, back, or new."""
    read = [column.api_name for column in plan.read]
    given_up = {*spec.excluded, *plan.excluded_calculated}
    record.missing = plan.missing
    record.calculated = tuple(column.api_name for column in plan.read if column.calculated)
    if facts:
        record.table_rows_before = facts.rows
        record.added = tuple(column.api_name for column in plan.table if column.name not in facts.columns)
    if base:
        record.rounded_before = base.rounded
        record.hidden = tuple(column for column in with_hidden(base, read).hidden if column not in {*read, *given_up})
        record.revealed_columns = revealed_columns(base, read)


def tell_org(record: SyncReport, client: Client, survey: Preflight) -> None:
    """Write into the record what is known of the org as a whole."""
    record.degraded = client.degraded
    record.true_as_of = survey.asked_at
    if client.usage:
        record.quota_used, record.quota_limit = client.usage.used, client.usage.limit


@dataclass(frozen=True)
class EndpointSync:
    """The planning of one sync, with all that it looks at."""

    spec: EndpointSpec
    survey: Preflight
    warehouse: IcebergTables
    client: Client
    options: Options
    facts: TableFacts | None
    stored: State | None
    base: State | None
    plan: ColumnPlan
    record: SyncReport
    watch: Callable[[SyncReport], None]

    @property
    def read(self) -> tuple[str, ...]:
        return tuple(column.api_name for column in self.plan.read)

    @property
    def blank(self) -> State:
        """The state of a table of which nothing has been read."""
        return annotate_hashing(
            State(self.survey.org_id, self.spec.sobject), self.spec, self.facts, key=self.options.hash_key
        )

    @property
    def untouched(self) -> State:
        """The state of a table that stays as it is: a full refresh that reads nothing changes no owner and no key."""
        return (self.stored if self.options.full_refresh else self.base) or self.blank

    @cached_property
    def probe(self) -> Probe | None:
        answer = self.survey.probes.get(self.spec.endpoint)
        if isinstance(answer, SalesforceError):
            self.record.notes.append(f"The probe was refused, so the endpoint is read without it: {answer}")
            return None
        return answer

    def unavailable(self, why: str) -> Sync:
        """An object that is off: the table gets its columns and keeps its rows."""
        self.record.kind, self.record.unavailable = "unavailable", why
        return self._sync(iter(()), "merge", final=self.untouched)

    @cached_property
    def window(self) -> tuple[int, datetime | None] | None:
        """What the table holds over the probe's predicate; only a table that has been read through is asked."""
        if self.probe is None or self.base is None or not self.base.read_at:
            return None
        return self.warehouse.count_since(self.spec.endpoint, "system_modstamp", self.probe.since, of=self.facts)

    def planned(self) -> Sync:
        """Decide what to do, and set out to do it."""
        if self.options.since or self.options.until:
            return self._reread()
        step = self._step()
        self.record.kind = step.kind
        self._tell_pending(step)
        if step.kind == "unchanged":
            return replace(self._sync(iter(()), "merge", final=self.base or self.blank), step=step)
        how: Literal["merge", "replace"] = "replace" if step.kind == "replace" else "merge"
        return replace(self._sync(self._batches(step), how, final=None), step=step)

    def _step(self) -> Step:
        if self.options.full_refresh:
            return Step("replace")
        situation = SyncInput(
            read=self.read, probe=self.probe, window=self.window, table_rows=self.facts.rows if self.facts else 0,
            filter=self.spec.query.where, now=self.record.began_at, backfill_calls=self.options.backfill_calls,
            total=self.survey.totals.get(self.spec.endpoint),
        )  # fmt: skip
        last = self.base.lacking if self.base else 0  # it is counted once a day, and holds until all rows are read
        self.record.lacking = last if situation.total is None else situation.lacking
        decide = decide_tail if self.spec.how == "tail" else decide_snapshot
        return decide(self.base, situation)

    def _tell_pending(self, step: Step) -> None:
        calls = -(-self.record.table_rows_before // 2_000)
        self.record.pending = dict.fromkeys(step.pending, calls)

    def _reread(self) -> Sync:
        if self.spec.how == "snapshot" or self.base is None:
            why = "is read whole each time" if self.spec.how == "snapshot" else "has not been read yet"
            raise ConfigError(
                f"{self.spec.endpoint}: since and until bound a re-read, but this endpoint {why}.",
                remedy="Run the endpoint without since and until.",
                endpoint=self.spec.endpoint,
            )
        self.record.kind = "reread"
        batches = reread(
            self._reader(self.options.quota_reserve), self.base, since=self.options.since, until=self.options.until
        )
        return self._sync(batches, "merge", final=self.base)

    def _batches(self, step: Step) -> Iterator[Batch]:
        """Read, and treat an object that turns out to be off like one that was off before."""
        try:
            yield from self._read(self._reader(self._reserve(step)), step)
        except ObjectUnavailable as error:
            if step.kind == "replace" and self.record.pages:
                raise  # a table made equal to what came so far would lose the rest
            self.record.kind, self.record.unavailable = "unavailable", str(error)
            self.record.final = self.untouched
        finally:
            tell_org(self.record, self.client, self.survey)
        if self.record.final:
            self.record.settle = self.record.settle or needs_state_commit(self.base, self.record.final)

    def _read(self, reader: Reader, step: Step) -> Iterator[Batch]:
        base = replace(self.base or self.blank, lacking=self.record.lacking)
        probe, filter_ = self.probe, self.spec.query.where
        rows = probe.count if probe else None
        self.record.rows_planned = self._rows_planned(step)
        ceiling = not_ahead(probe.ceiling if probe else reader.newest(), self.record.began_at)
        if step.walk:
            begun = step.walk if step.walk.after_id else replace(step.walk, ceiling=ceiling)
            return walk(reader, replace(base, walk=begun), ceiling=ceiling, rows_expected=rows, filter=filter_)
        began_at = self.record.began_at
        seen = Seen(probe.since, probe.count, probe.ceiling) if probe else None
        if step.kind == "tail":
            forgets = self.spec.deleted == "remove"  # the table lacks rows that the org still counts
            explains = seen if self.window and seen and (forgets or self.window[0] > seen.count) else None
            return tail(reader, base, step, ceiling=ceiling, began_at=began_at, seen=explains)
        snapshot = self.spec.how == "snapshot"
        return whole(
            reader, base, ceiling=ceiling, began_at=began_at, filter=filter_, rows_expected=rows,
            seen=seen if snapshot else None, by_ids=not snapshot,
        )  # fmt: skip

    def _rows_planned(self, step: Step) -> int | None:
        """A probe of the newest rows alone says nothing of a whole object; the table does."""
        if self.probe is None:
            return None
        is_window = self.probe.since is not None and step.kind != "tail"
        return max(self.probe.count, self.record.table_rows_before if is_window else 0)

    def _reserve(self, step: Step) -> float:
        """A first sync, a backfill or a full refresh leaves more of the day's calls to others than daily work."""
        is_bulk = step.walk is not None or self.base is None or self.options.full_refresh
        return max(self.options.quota_reserve, self.options.bulk_reserve if is_bulk else 0.0)

    def _reader(self, reserve: float) -> Reader:
        return Reader(
            self.spec, self.client, self.record, self.plan,
            all_rows=self.options.read_deleted and self.spec.has_is_deleted, commit_rows=self.options.commit_rows,
            reserve=reserve, plan_again=self._plan_again, watch=self.watch, hash_key=self.options.hash_key,
        )  # fmt: skip

    def _plan_again(self, dropped: Collection[str]) -> ColumnPlan:
        described = self.client.describe([self.spec.sobject], fresh=not dropped)
        fields = shown_fields(self.spec, described[self.spec.sobject])
        columns = plan_columns(self.spec, fields, calculated=self.options.calculated, dropped=dropped)
        return private(columns, self.spec, self.options.hash_key)

    def _sync(self, batches: Iterator[Batch], how: Literal["merge", "replace"], *, final: State | None) -> Sync:
        self.record.final = final
        lacks = self.facts is None or bool(self.record.added)
        self.record.settle = lacks or (final is not None and final != self.base)
        return Sync(
            self.spec, batches, how, self.plan.table, self.stored, self._may_vanish(), self.record,
            facts=self.facts, retype=self.options.full_refresh,
        )  # fmt: skip

    def _may_vanish(self) -> int | None:
        if self.options.confirm_shrink or self.options.adopt_org:
            return None
        return max(SHRINK_ROWS, int(SHRINK_SHARE * self.record.table_rows_before))
