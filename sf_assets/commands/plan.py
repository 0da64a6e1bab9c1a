"""`sf-assets plan`: what a run would cost, a line for each endpoint, and what a day of the cadences costs."""

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click
from rich.markup import escape
from rich.table import Table

from sf_assets.commands.options import endpoints_argument
from sf_assets.commands.settings import deployment
from sf_assets.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

    from sf_assets.assets.deployments import Deployment
    from sf_assets.planning.estimate import EndpointPlan, Plan
    from sf_assets.salesforce.bulk import BulkQuota
    from sf_assets.specs.model import EndpointSpec
    from sf_assets.sync.report import DeploymentOptions

LIMITS = (1_000, 15_000, 100_000)
"""Daily limits for which the plan names the possible cadences, next to the org's own limit."""
MISSING = "Missing columns do not exist in this org, or are hidden from this user. The table has them as NULL."
TOO_EXPENSIVE = 3
"""Exit status if first copies would not be complete before the reserve."""


@click.command()
@endpoints_argument
@click.option("--full-refresh", is_flag=True, help="Plan a full refresh, which reads everything again.")
def plan(endpoints: tuple[str, ...], full_refresh: bool) -> None:
    """Print what a run would cost, in calls and minutes.

    ENDPOINTS are endpoints or groups; default: all. The plan asks the org about nine calls and reads no rows. Exit
    status 3: first copies would be stopped by the reserve of the daily quota.
    """
    from rich.console import Console

    console, result = Console(), plan_run(deployment(), endpoints, full_refresh=full_refresh)
    print_plan(console, result)
    if (reason := verdict(result)) is not None:
        console.print(reason, style="red", highlight=False, soft_wrap=True)
        sys.exit(TOO_EXPENSIVE)


def plan_run(settings: "Deployment", names: Sequence[str], *, full_refresh: bool = False) -> "Plan":
    """Plan a run over the named endpoints or groups of a deployment; no names: all."""
    from datetime import UTC, datetime

    from sf_assets.assets.config import EndpointConfig
    from sf_assets.assets.freshness import automated, cadences
    from sf_assets.planning.estimate import build_plan
    from sf_assets.specs.endpoints import endpoints

    specs = endpoints(settings.specs)
    selection = chosen_specs(specs, names)
    salesforce, with_cadence = settings.salesforce.resolved(), automated(specs, settings.endpoints)
    words = {name: word for name, word in cadences(specs, settings.cadences).items() if name in with_cadence}
    hashes = any(spec.hashed for spec in selection)
    return build_plan(
        selection,
        tables=settings.iceberg.tables(),
        client=salesforce.client(),
        run=EndpointConfig(full_refresh=full_refresh).run_options(),
        deployment=salesforce.deployment_options(hashes=hashes),
        cadences=words,
        now=lambda: datetime.now(UTC),
    )


def chosen_specs(specs: "Sequence[EndpointSpec]", names: Sequence[str]) -> "list[EndpointSpec]":
    """Return the endpoints that names of endpoints or groups choose; no names: all."""
    groups, endpoints = dict.fromkeys(spec.group for spec in specs), [spec.endpoint for spec in specs]
    if unknown := sorted(set(names) - {"all", *groups, *endpoints}):
        remedy = f"Use groups ({', '.join(groups)}) or endpoints ({', '.join(endpoints)})."
        raise ConfigError(f"no endpoint or group is named {', '.join(unknown)}", remedy=remedy)
    return [spec for spec in specs if not names or {spec.endpoint, spec.group, "all"} & set(names)]


def print_plan(console: "Console", plan: "Plan") -> None:
    """Print the table of the endpoints and the lines below it."""
    console.print(plan_table(plan))
    if any(one.report and one.report.problems.missing for one in plan.endpoints):
        console.print(f"\n{MISSING}", highlight=False, soft_wrap=True)
    console.print()
    for line in summary(plan):
        console.print(line, highlight=False, soft_wrap=True)


def plan_table(plan: "Plan") -> Table:
    """Return the printed table: what each endpoint would read, and remarks."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("endpoint", no_wrap=True)
    table.add_column("would be read as", no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("calls", justify="right", no_wrap=True)
    table.add_column("remarks")
    for one in plan.endpoints:
        rows = f"{'about ' * one.is_approximate}{one.rows:,}"
        table.add_row(one.spec.endpoint, _kind(one), rows, f"{one.calls:,}", "; ".join(remarks(one, plan.deployment)))
    return table


def _kind(one: "EndpointPlan") -> str:
    return f"first {one.kind}" if one.is_first else one.kind


def remarks(one: "EndpointPlan", deployment: "DeploymentOptions") -> Iterator[str]:
    """Yield what is off, hidden, new, visible again or calculated."""
    if one.error is not None:
        yield f"[red]{escape(f'{one.error} {one.error.remedy}')}[/red]"
    if one.report is None:
        return
    if one.report.problems.unavailable:
        yield "off in this org, or hidden from this user"
        return
    columns = {
        "hidden": one.report.problems.hidden,
        "visible again": one.report.planned.revealed,
        "new": () if one.is_first else one.report.planned.added,
        "new, not backfilled": tuple(f"{name} ({calls} calls)" for name, calls in one.report.problems.pending.items()),
    }
    yield from (f"{word}: {', '.join(names)}" for word, names in columns.items() if names)
    if one.report.problems.missing:
        yield f"{_count(len(one.report.problems.missing), 'column')} missing"
    if one.report.planned.calculated:
        from sf_assets.planning.daily_calls import refresh_price  # Polars and pyiceberg take 0.4 s of CPU

        number = _count(len(one.report.planned.calculated), "calculated column")
        calls, is_refreshed = refresh_price(one.spec, max(one.rows, one.report.planned.table_rows), deployment)
        way = "read again daily by" if is_refreshed else "as old as their rows; a daily read costs"
        yield f"{number}, {way} {_count(calls, 'call')}"


def summary(plan: "Plan") -> Iterator[str]:
    """Yield the lines below the table."""
    budget, reserve = plan.budget, plan.deployment.quota_reserve
    yield (
        f"This run: {plan.calls:,} calls ({plan.shared_calls} of them shared), {plan.minutes:.1f} minutes or more at"
        f" {plan.requests_per_second:,.4g} requests a second."
    )
    if budget.used is not None and budget.limit:
        bulk = max(reserve, plan.deployment.bulk_reserve)
        yield (
            f"Quota: {budget.used:,} of {budget.limit:,} calls of 24 hours are used; this run takes"
            f" {plan.calls / budget.limit:.1%} of them. Before the reserve of {reserve:.0%}: {budget.left(reserve):,}"
            f" left; for first copies (reserve {bulk:.0%}): {plan.bulk_left:,}."
        )
    else:
        yield "Quota: the org does not report it, so no reserve is kept."
    if budget.cap is not None:
        yield f"Our own cap: {budget.own_calls:,} of {budget.cap:,} calls were sent today (UTC)."
    yield from bulk_lines(plan)
    if plan.day.priced:
        yield from _day(plan)


def _day(plan: "Plan") -> Iterator[str]:
    day, reserve, limit = plan.day, plan.deployment.quota_reserve, plan.budget.limit
    yield (
        f"A day of the cadences of {_count(len(day.priced), 'endpoint')}: {day.quiet:,} calls when nothing changes,"
        f" {day.busy:,} when every run finds every endpoint changed."
    )
    for most in dict.fromkeys([*([limit] if limit else []), *LIMITS]):
        name = "This org's limit" if most == limit else "A limit"
        yield f"  {name} of {most:,} calls a day is enough for {_affordable(plan, most, reserve)}"


def _affordable(plan: "Plan", limit: int, reserve: float) -> str:
    best = plan.day.bearable(limit, reserve=reserve)
    if best is None:
        return "fewer endpoints: name some in SF_ASSETS_ENDPOINTS."
    slower = {name: word for name, word in best.words.items() if plan.day.words[name] != word}
    if not slower:
        return "these cadences."
    by_word = {word: [name for name in slower if slower[name] == word] for word in dict.fromkeys(slower.values())}
    changes = "; ".join(f"{word}: {', '.join(names)}" for word, names in by_word.items())
    return f"slower cadences, {best.busy:,} calls (set SF_ASSETS_CADENCES): {changes}."


def bulk_lines(plan: "Plan") -> Iterator[str]:
    """Yield both prices of each large object, and which way a run takes."""
    limits = plan.deployment.bulk_limits
    for one in plan.endpoints:
        if one.bulk is None or (one.bulk.why_rest is not None and one.rows < limits.least_rows):
            continue
        bulk, rest = _price(plan, one.bulk.bulk_calls), _price(plan, one.bulk.rest_calls)
        choice = "the Bulk query job" if one.bulk.why_rest is None else f"REST: {one.bulk.why_rest}"
        yield (
            f"{one.spec.endpoint}, {one.rows:,} rows: by a Bulk query job about {bulk}, and the time that the job"
            f" itself takes; by REST {rest}. This run takes {choice}."
        )
    if plan.bulk_quota is not None:
        yield _bulk_quota(plan.bulk_quota)


def _bulk_quota(quota: "BulkQuota") -> str:
    jobs, megabytes = (f"{n:,}" if n is not None else "an unknown number of" for n in (quota.jobs, quota.megabytes))
    end = "so REST reads all objects today" if quota.is_spent else "and 15 jobs run at once"
    return f"Bulk: the org allows {jobs} more jobs and {megabytes} MB of results today, {end}."


def _price(plan: "Plan", calls: int) -> str:
    share = f", {calls / plan.budget.limit:.1%} of the quota" if plan.budget.limit else ""
    return f"{_count(calls, 'call')}{share}, {calls / plan.requests_per_second / 60:.1f} minutes"


def verdict(plan: "Plan") -> str | None:
    """Return why the first copies should not start now, or None if they may."""
    if not plan.crosses_reserve or plan.bulk_left is None:
        return None
    first = [one for one in plan.endpoints if one.is_first]
    largest = max(first, key=lambda one: one.calls)
    return (
        f"The first copies take {plan.first_calls + plan.shared_calls:,} calls and {plan.bulk_left:,} are left before"
        f" their reserve (the largest is {largest.spec.endpoint}: {largest.calls:,} calls). Start fewer at once. Or let"
        " them stop at the reserve and continue over several days: a run does so unless its config says"
        " spread_over_days: false."
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"
