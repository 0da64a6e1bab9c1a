"""One endpoint's sync: from the org's answers and the table to a stream of batches.

`plan_sync` decides (`SyncPlan`), `sf_assets/sync/read.py` reads, `sf_assets/sync/endpoint_report.py` reports.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sf_assets.iceberg.model import TableFacts
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.salesforce.client import Client
from sf_assets.specs.model import EndpointSpec
from sf_assets.sync.columns import Column
from sf_assets.sync.decide import Step
from sf_assets.sync.endpoint_report import new_report
from sf_assets.sync.limits import BulkLimits
from sf_assets.sync.plan import plan_sync
from sf_assets.sync.preflight import Preflight, with_all_trials
from sf_assets.sync.read import EndpointRead
from sf_assets.sync.reconcile.compare import Differences
from sf_assets.sync.report import DeploymentOptions, RunOptions, SyncReport, ignore_progress
from sf_assets.sync.state import State
from sf_assets.sync.strategies import Batch

__all__ = ["Batch", "Sync", "find_differences", "sync"]


@dataclass(eq=False)
class Sync:
    """What an asset hands to the IO manager. The batches can be drained once.

    The state of the last batch is the sync's final state. `how`: "merge" by the spec's keys and SystemModstamp, or
    "replace" the table by the batches. `columns`: all of the table's columns. `stored`: the state that the table had;
    a commit onto another state is refused. `base`: the state that the read starts from, or None for a new table.
    `may_vanish`: how many keys a replace may remove (None: any number). `step`: what is read; None for a re-read and
    for an object that is off. `facts`: the table before. `retype`: a replace may change the types of columns.
    `comparison_calls`: calls of the daily comparison that follows, if it finds nothing. `bulk`: how a Bulk query job
    reads the whole object, or None by REST; `why_rest`: why by REST, if it is read as a whole. `again`: plans the rest
    of the sync with second columns for the fractions of these whole numbers; the report is the same.
    """

    spec: EndpointSpec
    batches: Iterator[Batch]
    how: Literal["merge", "replace"]
    columns: tuple[Column, ...]
    stored: State | None
    base: State | None
    may_vanish: int | None
    report: SyncReport
    step: Step | None = None
    facts: TableFacts | None = None
    retype: bool = False
    comparison_calls: int = 0
    bulk: BulkLimits | None = None
    why_rest: str | None = None
    again: "Callable[[frozenset[str]], Sync] | None" = None


def sync(
    spec: EndpointSpec,
    *,
    preflight: Preflight,
    tables: IcebergTables,
    client: Client,
    now: Callable[[], datetime],
    run: RunOptions = RunOptions(),  # noqa: B008 - frozen
    deployment: DeploymentOptions = DeploymentOptions(),  # noqa: B008 - frozen
    watch: Callable[[SyncReport], None] = ignore_progress,
) -> Sync:
    """Plan the read of one endpoint. None of its queries is sent before the batches are drained.

    Only trials of refused columns are, where the run asks for all daily work (`reconcile`).

    `watch` is called with the report after each page.

    Raises:
        TableForeign: the table holds another org or object.
        HashKeyChanged: the table is hashed with another key.
        ConfigError: the options do not fit the endpoint.
        SalesforceError: the describe of the object failed, unless the object is off.
    """
    if run.reconcile:
        preflight = with_all_trials(preflight, spec, tables=tables, client=client)

    def begin(fractional: frozenset[str] = frozenset(), report: SyncReport | None = None) -> Sync:
        plan = plan_sync(
            spec, preflight, tables, client, run=run, deployment=deployment, now=now, fractional=fractional
        )
        report = report or new_report(plan, client)
        read = EndpointRead(plan, tables, client, report, watch)
        return _sync(read, again=lambda more: begin(fractional | more, report))

    return begin()


def _sync(read: EndpointRead, *, again: Callable[[frozenset[str]], Sync]) -> Sync:
    plan = read.plan
    return Sync(
        spec=plan.spec,
        batches=read.batches(),
        how="replace" if plan.step and plan.step.kind == "replace" else "merge",
        columns=plan.columns.table,
        stored=plan.stored,
        base=plan.base,
        may_vanish=plan.may_vanish,
        report=read.report,
        step=plan.step,
        facts=plan.facts,
        retype=plan.run.full_refresh,
        comparison_calls=plan.comparison_calls,
        bulk=plan.deployment.bulk_limits if plan.uses_bulk_job else None,
        why_rest=plan.why_rest if plan.reads_whole_object else None,
        again=again,
    )


def find_differences(
    spec: EndpointSpec,
    *,
    preflight: Preflight,
    tables: IcebergTables,
    client: Client,
    now: Callable[[], datetime],
    deployment: DeploymentOptions = DeploymentOptions(),  # noqa: B008 - frozen
) -> Differences | None:
    """Compare a table with the org and write nothing. None: a snapshot, or a table that is not read completely."""
    run = RunOptions(reconcile=True)
    plan = plan_sync(spec, preflight, tables, client, run=run, deployment=deployment, now=now)
    return EndpointRead(plan, tables, client, new_report(plan, client), ignore_progress).differences()
