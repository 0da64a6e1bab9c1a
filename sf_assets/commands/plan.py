"""A plan in words: a line per endpoint, what the run costs, and what a day of the cadences costs."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from sf_assets.errors import ConfigError

if TYPE_CHECKING:
    from sf_assets.assets.deployments import Deployment
    from sf_assets.planning.estimate import EndpointPlan, Plan
    from sf_assets.specs.model import EndpointSpec

LIMITS = (1_000, 15_000, 100_000)
"""Daily limits for which the bearable cadences are told beside the org's own."""
TOO_DEAR = 3
"""Exit status when first copies would not be complete before the reserve."""


def plan_run(deployment: "Deployment", names: Sequence[str], *, full_refresh: bool = False) -> "Plan":
    """Plan a run over the named endpoints or groups (none: all) of a deployment."""
    from datetime import UTC, datetime

    from sf_assets.assets.config import EndpointConfig
    from sf_assets.assets.freshness import automated, cadences
    from sf_assets.planning.estimate import build_plan
    from sf_assets.specs.endpoints import endpoints

    specs = endpoints(deployment.specs)
    chosen = chosen_specs(specs, names)
    salesforce, by_themselves = deployment.salesforce.resolved(), automated(specs, deployment.endpoints)
    words = {name: word for name, word in cadences(specs, deployment.cadences).items() if name in by_themselves}
    hashes = any(spec.hashed for spec in chosen)
    return build_plan(
        chosen,
        tables=deployment.iceberg.warehouse(),
        client=salesforce.client(),
        run=EndpointConfig(full_refresh=full_refresh).run_options(),
        deployment=salesforce.deployment_options(hashes=hashes),
        cadences=words,
        now=lambda: datetime.now(UTC),
    )


def chosen_specs(specs: "Sequence[EndpointSpec]", names: Sequence[str]) -> "list[EndpointSpec]":
    """Return the endpoints that a person names, as endpoints or groups; no names, or `all`: every one."""
    known = {"all", *(spec.endpoint for spec in specs), *(spec.group for spec in specs)}
    if unknown := sorted(set(names) - known):
        raise ConfigError(f"no endpoint or group is named {', '.join(unknown)}", remedy="Name endpoints or groups.")
    return [spec for spec in specs if not names or {spec.endpoint, spec.group, "all"} & set(names)]


def plan_table(plan: "Plan") -> Table:
    """Return the printed table: what each endpoint would read, and what speaks against it."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("endpoint", no_wrap=True)
    table.add_column("would be read as", no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("calls", justify="right", no_wrap=True)
    table.add_column("to know")
    for one in plan.endpoints:
        rows = f"{'about ' * one.is_approximate}{one.rows:,}"
        table.add_row(one.spec.endpoint, _kind(one), rows, f"{one.calls:,}", "; ".join(remarks(one)))
    return table


def _kind(one: "EndpointPlan") -> str:
    return f"first {one.kind}" if one.is_first else one.kind


def remarks(one: "EndpointPlan") -> Iterator[str]:
    """Yield what is off, hidden, new, back or calculated."""
    if one.error is not None:
        yield f"[red]{one.error} {one.error.remedy}[/red]"
    if one.report is None:
        return
    if one.report.problems.unavailable:
        yield "off in this org, or hidden from this user"
        return
    told = {
        "hidden": one.report.problems.hidden,
        "seen again": one.report.planned.revealed,
        "new": () if one.is_first else one.report.planned.added,
        "new, not backfilled": tuple(f"{name} ({calls} calls)" for name, calls in one.report.problems.pending.items()),
    }
    yield from (f"{word}: {', '.join(names)}" for word, names in told.items() if names)
    if one.report.problems.missing:
        yield f"{len(one.report.problems.missing)} columns are not in this org or hidden"
    if one.report.planned.calculated:
        yield f"{len(one.report.planned.calculated)} calculated columns"


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
        yield "Quota: the org does not tell it, so no reserve is kept."
    if budget.cap is not None:
        yield f"Our own cap: {budget.own_calls:,} of {budget.cap:,} calls were sent today (UTC)."
    if plan.day.priced:
        yield from _day(plan)


def _day(plan: "Plan") -> Iterator[str]:
    day, reserve, limit = plan.day, plan.deployment.quota_reserve, plan.budget.limit
    yield (
        f"A day of the cadences of these {len(day.priced)} endpoints: {day.quiet:,} calls when nothing changes,"
        f" {day.busy:,} when every run finds every endpoint changed."
    )
    for most in dict.fromkeys([*([limit] if limit else []), *LIMITS]):
        whose = "this org's limit" if most == limit else "a limit"
        yield f"  {whose} of {most:,} a day bears {_bearable(plan, most, reserve)}"


def _bearable(plan: "Plan", limit: int, reserve: float) -> str:
    best = plan.day.bearable(limit, reserve=reserve)
    if best is None:
        return "none of them: name fewer in SF_ASSETS_ENDPOINTS."
    slower = {name: word for name, word in best.words.items() if plan.day.words[name] != word}
    if not slower:
        return "them as they are."
    by_word = {word: [name for name in slower if slower[name] == word] for word in dict.fromkeys(slower.values())}
    told = "; ".join(f"{word}: {', '.join(names)}" for word, names in by_word.items())
    return f"{best.busy:,} calls: these only slower, by SF_ASSETS_CADENCES: {told}."


def verdict(plan: "Plan") -> str | None:
    """Return why the first copies should not be begun now, None when they may."""
    if not plan.crosses_reserve or plan.bulk_left is None:
        return None
    first = [one for one in plan.endpoints if one.is_first]
    dearest = max(first, key=lambda one: one.calls)
    return (
        f"The first copies take {plan.first_calls + plan.shared_calls:,} calls and {plan.bulk_left:,} are left before"
        f" their reserve (the dearest is {dearest.spec.endpoint}: {dearest.calls:,} calls): start fewer at once, or let"
        " them stop at the reserve and go on over several days, which a run does unless it is given"
        " spread_over_days: false."
    )
