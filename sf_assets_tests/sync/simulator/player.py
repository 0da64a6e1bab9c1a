"""Plays a history: the org, the wire, the clock, the kills, and a check after each step."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sf_assets.devorg.api.transport import in_process
from sf_assets.errors import (
    ColumnIncompatible,
    IcebergError,
    OrgBusy,
    QuotaSpent,
    SfAssetsError,
    ShrinkRefused,
    ValueUnexpected,
)
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.salesforce.client import Client
from sf_assets.salesforce.client_settings import Clock, OrgAccess, RequestLimits
from sf_assets.salesforce.login.credentials import Credentials
from sf_assets.sync.endpoint import Batch, sync
from sf_assets.sync.limits import DAY, LOOKBACK, LaneLimits
from sf_assets.sync.preflight import preflight
from sf_assets.sync.report import ComparisonLimits, SyncReport
from sf_assets.sync.state import State
from sf_assets.sync.write import write_sync
from sf_assets_tests.iceberg import chaos
from sf_assets_tests.options import sync_options
from sf_assets_tests.sync.simulator.history import Edit, History, Pass, RollBack, Step, Sync, Upkeep
from sf_assets_tests.sync.simulator.oracle import Claim, Wrong, check_always, check_claim
from sf_assets_tests.sync.simulator.wire import Wire
from sf_assets_tests.sync.simulator.world import CALCULATED, START, World, spec_of

LIMITS = {
    "rows": ComparisonLimits(),
    "values": ComparisonLimits(rows_pages=0, ids_every=timedelta(0)),
    "counts": ComparisonLimits(rows_pages=0, ids_pages=0, calculated_calls=0),
}
LANES = LaneLimits(least_rows=1, page_rows=3, most=2, window_pages=2)


@dataclass
class Tally:
    """What was played."""

    syncs: int = 0
    undisturbed: int = 0
    resumed: int = 0
    rows: int = 0
    edits: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)

    def __iadd__(self, other: "Tally") -> "Tally":
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
        return self


@dataclass
class Bench:
    """One endpoint's table: its claim, and the claims of its snapshots, to which a rollback leads back."""

    endpoint: str
    sobject: str
    claim: Claim | None = None
    logged: frozenset[str] = frozenset()
    idle_since: int | None = None
    idle_until: datetime = START
    idle_syncs: int = 0
    past: dict[int | None, tuple[Claim | None, list[tuple[str, Any]], int]] = field(default_factory=dict)


def play(history: History, folder: Path) -> Tally:
    """Play a history and the undisturbed end that follows it. Raises: Wrong, or the error of an undisturbed sync."""
    player = Player(history, folder)
    try:
        for step in history.steps:
            player.play(step)
        player.end()
    finally:
        player.close()
    return player.tally


class Player:
    """One history in the middle of being played."""

    def __init__(self, history: History, folder: Path) -> None:
        self.history, self.folder = history, folder
        self.specs = {name: spec_of(name, deleted=history.deleted) for name in history.endpoints}
        sobjects = tuple(spec.sobject for spec in self.specs.values())
        self.world = World(sobjects, history.rows, history.page_rows, history.locator_rows)
        server, inner = in_process(self.world.org, sleep=self._wait)
        self.wire = Wire(inner, self.world.org, self._wait)
        self.server = server
        self.real_start = datetime.now(UTC)
        self.benches = {name: Bench(name, spec.sobject) for name, spec in self.specs.items()}
        self.tally = Tally()
        self.busy_until = START
        self.client = self._new_client()
        self.other_client: Client | None = None  # of another process
        self.tables = self._new_tables()

    def close(self) -> None:
        chaos.strike_with(chaos.Strike())
        for client in (self.client, self.other_client):
            if client is not None:
                client.close()

    def play(self, step: Step) -> None:
        """Play one step and check what must hold after it."""
        self.tally.steps[type(step).__name__] += 1
        if isinstance(step, Edit):
            self._edit(step)
        elif isinstance(step, Pass):
            self.world.clock.advance(seconds=step.seconds)
        elif isinstance(step, Sync):
            self._sync(step)
        elif isinstance(step, RollBack):
            self._roll_back(step)
        else:
            self._upkeep(step)

    def end(self) -> None:
        """Give columns and objects back, let a day pass, and sync twice without any disturbance."""
        for sobject in self.world.sobjects:
            for verb in ("switch_on", "show_column", "accept_column"):
                self.world.edit(Edit(verb, sobject))
        self.world.clock.advance(hours=25)
        names, again = self.history.endpoints, frozenset(self.world.retyped)
        self.play(Sync(names, confirm_shrink=True, full_refresh=bool(again)))
        self.world.clock.advance(hours=25)
        self.play(Sync(names, confirm_shrink=True))
        for bench in self.benches.values():
            self._check_whole(bench)

    # -- parts --------------------------------------------------------------------------------------------------

    def _wait(self, seconds: float) -> None:
        self.world.clock.advance(seconds=max(seconds, 0.001))

    def _monotonic(self) -> float:
        return (self.world.clock() - START).total_seconds()

    def _new_client(self) -> Client:
        return Client(
            OrgAccess(self.server.url, Credentials(**self.server.credentials)),
            limits=RequestLimits(requests_per_second=100_000),
            clock=Clock(now=self.world.clock, sleep=self._wait, monotonic=self._monotonic),
            transport=self.wire,
        )

    def _new_tables(self) -> IcebergTables:
        properties = {
            "type": "sql",
            "uri": f"sqlite:///{self.folder}/catalog.db",
            "warehouse": f"file://{self.folder}/tables",
            "py-io-impl": "sf_assets_tests.iceberg.chaos.ChaosFileIO",
        }
        return IcebergTables("chaos", "salesforce", properties, now=self._lake_time)

    def _lake_time(self) -> datetime:
        """Return the machine's time plus what passed in the history: Iceberg stamps snapshots with the machine's."""
        return datetime.now(UTC) + (self.world.clock() - START)

    def _edit(self, edit: Edit) -> None:
        if self.world.edit(edit):
            self.tally.edits[edit.verb + (" quietly" if edit.quiet else " late" if edit.late else "")] += 1

    def _hook(self, step: Sync) -> Callable[[object], None]:
        pages, is_inside = iter(range(1, 10_000)), False

        def hook(page: object) -> None:
            nonlocal is_inside
            if is_inside:
                return
            number = next(pages)
            self.wire.on_page()
            if step.inside == number:
                is_inside = True
                self._run_inside(step)
                is_inside = False
            for at, edit in step.during:
                if at == number:
                    self.world.clock.advance(seconds=edit.value % 3)
                    self._edit(edit)

        return hook

    def _run_inside(self, outer: Sync) -> None:
        """Run another process from begin to end while this one waits for a page."""
        self.other_client = self.other_client or self._new_client()
        client, tables, faults = self.other_client, self._new_tables(), list(self.world.org.faults)
        self.world.org.faults.clear()
        for name in outer.endpoints:
            bench, before = self.benches[name], self.world.seq
            report = self._drain(name, Sync((name,)), client, tables)
            self._claim(bench, report, before, tables)
            self._check(bench, tables)
        self.world.org.faults[:] = faults

    def _sync(self, step: Sync) -> None:
        self.tally.syncs += 1
        self.world.clock.advance(milliseconds=10)
        self.tally.undisturbed += step.is_undisturbed
        self.wire.inject(step.faults)
        self.world.org.on_page[:] = [self._hook(step)]
        try:
            self._run(step)
        finally:
            self.world.org.on_page.clear()
            self.wire.inject(())
            self.tally.faults += self.wire.struck
            if self.wire.struck:
                self.busy_until = self.world.clock() + DAY
            self.wire.struck.clear()

    def _run(self, step: Sync) -> None:
        before = self.world.seq
        if step.strike and step.strike.kind != "batch":
            chaos.strike_with(chaos.Strike(step.strike.kind, step.strike.at))
        try:
            specs = [self.specs[name] for name in step.endpoints]
            answers = preflight(specs, tables=self.tables, client=self.client, read_deleted=True, now=self.world.clock)
            for name in step.endpoints:
                self._run_one(name, step, answers, before)
        except chaos.Killed:
            self._new_process(step)
        except SfAssetsError as error:
            self._judge_error(step, error, before)
        finally:
            chaos.strike_with(chaos.Strike())
        if self.world.org.switched_off:
            self._renew_client()  # a process that met no describe at all asks for none again
        for name in step.endpoints:
            self._check(self.benches[name], self.tables)

    def _renew_client(self) -> None:
        self.client.close()
        self.client = self._new_client()

    def _new_process(self, step: Sync | Upkeep) -> None:
        assert step.strike is not None
        self.tally.kills[step.strike.kind] += 1
        chaos.strike_with(chaos.Strike())
        self.tables = self._new_tables()

    def _run_one(self, name: str, step: Sync, answers: Any, before: int) -> None:
        bench = self.benches[name]
        shown_before = self._table_ids(bench, live=True) if self.world.hidden(bench.sobject) else set[str]()
        try:
            report = self._drain(name, step, self.client, self.tables, answers)
        except SfAssetsError as error:
            self._judge_error(step, error, before, bench)
            return
        self._check_idle(bench, step, report, before)
        self._claim(bench, report, before, self.tables)
        if before == self.world.seq and not step.confirm_shrink:
            self._check_guard(bench, shown_before)

    def _drain(self, name: str, step: Sync, client: Client, tables: IcebergTables, answers: Any = None) -> SyncReport:
        spec, now = self.specs[name], self.world.clock()
        answers = answers or preflight([spec], tables=tables, client=client, read_deleted=True, now=self.world.clock)
        bounds: dict[str, Any] = {}
        is_tail, facts = spec.how == "tail", tables.facts(name)
        has_been_read = facts is not None and facts.state is not None
        if is_tail and has_been_read and (step.since is not None or step.until is not None):
            bounds["since"] = None if step.since is None else now - timedelta(seconds=step.since)
            bounds["until"] = None if step.until is None else now - timedelta(seconds=step.until)
        options = sync_options(
            full_refresh=step.full_refresh and not bounds, confirm_shrink=step.confirm_shrink,
            reconcile=step.reconcile and not bounds, comparison=LIMITS[self.history.comparison],
            commit_rows=self.history.commit_rows, shrink_rows=self.history.shrink_rows, shrink_share=0.0,
            lanes=LANES if self.history.lanes else LaneLimits(), **bounds,
        )  # fmt: skip
        sync_result = sync(spec, preflight=answers, tables=tables, client=client, **options, now=self.world.clock)
        position = sync_result.stored.position if sync_result.stored else None
        self.tally.resumed += bool(position and (position.walk or position.resume or position.reread))
        if step.strike and step.strike.kind == "batch":
            sync_result = replace(sync_result, batches=_dying(sync_result.batches, step.strike.at))
        facts = write_sync(tables, name, sync_result, "run")
        if facts != tables.facts(name):
            raise Wrong(f"{name}: the run shows {facts}, and the table has {tables.facts(name)}")
        self.tally.rows += sync_result.report.read.rows
        return sync_result.report

    def _judge_error(self, step: Sync, error: SfAssetsError, before: int, bench: Bench | None = None) -> None:
        """Accept an error only if something explains it."""
        world = self.world
        is_explained = not step.is_undisturbed or bool(world.org.switched_off)
        is_explained |= isinstance(error, OrgBusy | QuotaSpent) and world.clock() < self.busy_until
        if isinstance(error, ColumnIncompatible | ValueUnexpected):
            is_explained |= bench is not None and bench.sobject in world.retyped
        if isinstance(error, ShrinkRefused) and bench is not None:
            present = world.present(bench.sobject)
            is_bin_empty = not any(row.get("IsDeleted") for row in present.values())  # or is queryAll lost?
            lost = self._table_ids(bench, live=not is_bin_empty) - present.keys()
            is_explained |= len(lost) + world.seq - before > self.history.shrink_rows
        if not is_explained:
            raise Wrong(f"an undisturbed sync failed: {error!r}") from error
        if isinstance(error, IcebergError):
            self.tally.kills[step.strike.kind if step.strike else type(error).__name__] += 1

    def _claim(self, bench: Bench, report: SyncReport, before: int, tables: IcebergTables) -> None:
        """Note what the sync promises. A re-read, and an object that is off, promise nothing new."""
        facts = tables.facts(bench.endpoint)
        assert facts is not None
        if report.problems.unavailable is None and report.kind != "reread":
            state = State.from_json(facts.state or "")
            if report.reconciled is not None:
                minute = report.began_at.replace(second=0, microsecond=0)  # the log is asked for whole minutes
                bench.logged = frozenset(self.world.logged(bench.sobject, until=minute))
            self._clean(bench, report, state, before)
            bench.claim = self._new_claim(bench, state, before)
        self._keep(bench, facts.snapshot_id)

    def _keep(self, bench: Bench, snapshot_id: int | None) -> None:
        """Keep the claim of a snapshot: a rollback leads back to it."""
        bench.past[snapshot_id] = (bench.claim, list(self.world.dirt[bench.sobject]), self.world.seq)

    def _new_claim(self, bench: Bench, state: State, before: int) -> Claim:
        dirt = self.world.dirt[bench.sobject]
        if bench.endpoint == "user_role" and all(one.kind == "gone" for _, one in dirt):
            dirt = [(key, one) for key, one in dirt if one.at > before]
        rows = frozenset(key for key, one in dirt if one.column is None)
        cells = frozenset((key, one.column) for key, one in dirt if one.column is not None)
        is_short = state.counts.out_of_sight > 0
        return Claim(before, frozenset(state.columns.read), rows, cells, is_short, bench.logged)

    def _clean(self, bench: Bench, report: SyncReport, state: State, before: int) -> None:
        """Drop the changes without a stamp that this sync has covered."""
        world, dirt = self.world, self.world.dirt[bench.sobject]
        compared, method = report.reconciled is not None and report.problems.not_compared is None, None
        if compared and report.reconciled is not None and not report.reconciled.is_partial:
            method = report.reconciled.how
        is_first_copy = report.kind == "walk" and bench.claim is None and report.planned.table_rows == 0
        kinds = {one.kind for _, one in dirt if one.at <= before}

        def is_covered(one: Any) -> bool:
            if one.at > before:
                return False
            if report.kind == "replace" or method == "rows" or is_first_copy:
                return True
            if method == "values":
                return one.column not in CALCULATED or state.times.calculated_at == report.began_at
            return method == "counts" and one.column is None and (kinds <= {"gone"} or kinds <= {"back"})

        world.dirt[bench.sobject] = [(key, one) for key, one in dirt if not is_covered(one)]

    # -- checks -------------------------------------------------------------------------------------------------

    def _rows(self, bench: Bench, tables: IcebergTables) -> list[dict[str, Any]]:
        strike = chaos.CURRENT
        chaos.strike_with(chaos.Strike())
        try:
            is_there = tables.facts(bench.endpoint) is not None
            return tables.scan(bench.endpoint).collect().to_dicts() if is_there else []
        finally:
            chaos.strike_with(strike)

    def _table_ids(self, bench: Bench, *, live: bool) -> set[str]:
        return {row["id"] for row in self._rows(bench, self.tables) if not (live and row.get("is_deleted"))}

    def _check(self, bench: Bench, tables: IcebergTables) -> None:
        rows, world = self._rows(bench, tables), self.world
        where = bench.endpoint
        nullable = world.dropped_columns[bench.sobject]
        check_always(rows, world.books[bench.sobject], may_be_null=nullable).raise_if_any(where)
        if bench.claim is not None:
            spec, facts = self.specs[bench.endpoint], tables.facts(bench.endpoint)
            assert facts is not None
            state = State.from_json(facts.state or "")
            columns = bench.claim.columns & set(state.columns.read)
            if state.position.walk:
                columns &= set(state.position.walk.columns)
            claim = replace(bench.claim, columns=columns)
            findings = check_claim(
                rows, world, bench.sobject, claim, is_snapshot=spec.how == "snapshot",
                removes=spec.deleted == "remove",
            )  # fmt: skip
            findings.raise_if_any(where)

    def _check_guard(self, bench: Bench, live_before: set[str]) -> None:
        """No more rows than the bound may be marked or vanish, unless the log names them or it was confirmed."""
        hidden = self.world.hidden(bench.sobject) & live_before
        unexplained = hidden - self.world.logged(bench.sobject)
        marked_rows = unexplained - self._table_ids(bench, live=True)
        if len(marked_rows) > self.history.shrink_rows:
            raise Wrong(f"{bench.endpoint}: {len(marked_rows)} rows that are only out of sight were marked as deleted")

    def _check_idle(self, bench: Bench, step: Sync, report: SyncReport, before: int) -> None:
        """A second undisturbed sync without a change in the org reads nothing, unless daily work is due."""
        world, state = self.world, report.final
        is_plain = step.is_undisturbed and not (step.full_refresh or step.reconcile or step.confirm_shrink)
        is_quiet = bench.idle_since == world.seq == before and is_plain and step.since is step.until is None
        is_quiet = is_quiet and world.clock() < bench.idle_until
        is_quiet = is_quiet and not world.org.switched_off
        if is_quiet and bench.idle_syncs and (report.read.rows or report.read.calls):
            raise Wrong(f"{bench.endpoint}: nothing changed, and a sync of kind {report.kind} read {report.read}")
        bench.idle_syncs = bench.idle_syncs + 1 if is_quiet else 0  # one more tail may be needed after rows are gone
        bench.idle_since = None
        if state is None or not step.is_undisturbed or before != world.seq or report.problems.unavailable:
            return
        times, now = state.times, world.clock()
        is_settled = times.read_at is not None and times.read_at > world.newest + LOOKBACK
        position = state.position
        is_whole = position.walk is None and position.resume is None and not state.columns.refused
        bench.idle_until = min(filter(None, (times.deep_read_at, times.reconciled_at, now))) + DAY
        bench.idle_since = world.seq if is_settled and is_whole and report.kind != "reread" else None

    def _check_whole(self, bench: Bench) -> None:
        """At the end nothing is left open: every visible column is claimed, and no row is excepted."""
        claim, world = bench.claim, self.world
        if claim is None:
            raise Wrong(f"{bench.endpoint}: the undisturbed end claims nothing")
        lacking = world.readable(bench.sobject) - claim.columns if world.present(bench.sobject) else set()
        if lacking:
            raise Wrong(f"{bench.endpoint}: the columns {sorted(lacking)} are not complete in the end")
        is_exact = self.history.comparison != "counts" or bench.endpoint == "user_role"
        if is_exact and (claim.open_rows or claim.open_cells):
            raise Wrong(f"{bench.endpoint}: the undisturbed end did not compare the table with the org")

    # -- operators ----------------------------------------------------------------------------------------------

    def _roll_back(self, step: RollBack) -> None:
        bench = self.benches[step.endpoint]
        table = self.tables._catalog.find(step.endpoint)
        current = table.current_snapshot() if table is not None else None
        if table is None or current is None:
            return
        ancestors = [one.snapshot_id for one in _ancestors(table, current) if one.snapshot_id in bench.past]
        target = ancestors[min(step.by, len(ancestors) - 1)] if ancestors else current.snapshot_id
        if target == current.snapshot_id:
            return
        table.manage_snapshots().rollback_to_snapshot(target).commit()
        self.tables = self._new_tables()
        bench.claim, dirt, seq = bench.past[target]
        newer = [one for one in self.world.all_dirt[bench.sobject] if one[1].at > seq]
        self.world.dirt[bench.sobject] = [*dirt, *newer]
        if bench.claim is not None:  # Iceberg keeps today's schema: the values of a column that was replaced are gone
            cells = {(key, one.column) for key, one in newer if one.column is not None}
            bench.claim = replace(bench.claim, open_cells=bench.claim.open_cells | cells)
        bench.idle_since = None
        self._check(bench, self.tables)

    def _upkeep(self, step: Upkeep) -> None:
        bench = self.benches[step.endpoint]
        if self.tables.facts(step.endpoint) is None:
            return
        if step.strike:
            chaos.strike_with(chaos.Strike(step.strike.kind, step.strike.at))
        try:
            self.tables.maintenance.maintain(step.endpoint)
            self.tables.remove_orphan_files(step.endpoint)
        except chaos.Killed:
            self._new_process(step)
        except IcebergError:
            if step.strike is None:
                raise
            self.tally.kills[step.strike.kind] += 1
        finally:
            chaos.strike_with(chaos.Strike())
        facts = self.tables.facts(step.endpoint)
        if facts is not None:
            self._keep(bench, facts.snapshot_id)
        self._check(bench, self.tables)


def _ancestors(table: Any, current: Any) -> Iterator[Any]:
    one = current
    while one is not None:
        yield one
        one = table.snapshot_by_id(one.parent_snapshot_id) if one.parent_snapshot_id else None


def _dying(batches: Iterator[Batch], at: int) -> Iterator[Batch]:
    """Hand on so many batches, then die."""
    for number, batch in enumerate(batches, 1):
        if number > at:
            break
        yield batch
    raise chaos.Killed
