"""The report of one endpoint before anything is read, and what a read learns of the org."""

from collections.abc import Collection

from sf_assets.errors import SalesforceError
from sf_assets.salesforce.client import Client
from sf_assets.specs.naming import column_name
from sf_assets.sync.column_status import revealed_columns, with_hidden
from sf_assets.sync.columns import ColumnPlan
from sf_assets.sync.limits import pages
from sf_assets.sync.plan import SyncPlan
from sf_assets.sync.report import OrgFacts, Planned, Problems, SyncReport


def new_report(plan: SyncPlan, client: Client) -> SyncReport:
    """Return the report of a planned sync."""
    report = SyncReport(plan.spec.endpoint, plan.spec.sobject, plan.preflight.org_id, plan.began_at, kind=plan.kind)
    report.planned = planned(plan)
    report.problems = planned_problems(plan)
    record_columns(report, plan, plan.columns)
    record_org(report, client, plan)
    if plan.columns.untyped:
        report.note(f"Not read, because their types have no column type: {', '.join(plan.columns.untyped)}.")
    if plan.is_unordered:
        report.note(
            f"{plan.spec.sobject}.{plan.spec.stamp} may not be filtered or sorted here: the object is read as a whole."
        )
    probe = plan.preflight.probes.get(plan.spec.endpoint)
    if isinstance(probe, SalesforceError) and plan.step:
        report.note(f"The probe was refused, so the endpoint is read without it: {probe}")
    return report


def planned(plan: SyncPlan) -> Planned:
    """Return what the sync sets out to read."""
    table = plan.facts.columns if plan.facts else None
    return Planned(
        table_rows=plan.table_rows,
        added=() if table is None else tuple(c.api_name for c in plan.columns.table if c.name not in table),
        revealed=revealed_columns(plan.base, plan.columns.read_names) if plan.base else (),
        calculated=tuple(column.api_name for column in plan.columns.read if column.calculated),
        columns=len(plan.columns.table),
        held_excluded=tuple(name for name in plan.spec.excluded if table is not None and column_name(name) in table),
    )


def planned_problems(plan: SyncPlan) -> Problems:
    """Return what is known to be wrong before anything is read."""
    problems = Problems(unavailable=plan.unavailable)
    problems.rounded_before = plan.base.columns.rounded if plan.base else ()
    problems.fractions_before = plan.base.columns.fractional if plan.base else ()
    problems.out_of_sight = plan.base.counts.out_of_sight if plan.base else 0
    if plan.step:
        problems.pending = dict.fromkeys(plan.step.pending, pages(plan.table_rows))
    return problems


def record_columns(
    report: SyncReport,
    plan: SyncPlan,
    columns: ColumnPlan,
    refused: Collection[str] = (),
    complicated: Collection[str] = (),
) -> None:
    """Write which columns are missing, hidden and refused, by the columns that are read now."""
    base, readable = plan.base or plan.blank, columns.read_names
    names = dict.fromkeys([*base.columns.refused, *refused])
    complicated = {*base.columns.complicated, *complicated}
    expected = {*readable, *plan.spec.excluded, *columns.excluded_calculated, *names}
    price = pages(max(plan.table_rows, report.read.rows))
    report.problems.refused = {name: price for name in names if name not in complicated}
    report.problems.complicated = tuple(sorted(name for name in names if name in complicated))
    report.problems.missing = tuple(name for name in columns.missing if name not in names)
    report.problems.hidden = tuple(name for name in with_hidden(base, readable).columns.hidden if name not in expected)


def record_org(report: SyncReport, client: Client, plan: SyncPlan) -> None:
    """Write what is known of the org as a whole into the report."""
    used, limit = (client.usage.used, client.usage.limit) if client.usage else (None, None)
    report.org = OrgFacts(client.missing_features_of(plan.spec.sobject), plan.preflight.asked_at, used, limit)
