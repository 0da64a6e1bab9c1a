"""`sf-assets repair`: find damaged tables and bring them back."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from sf_assets.commands.options import endpoints_argument
from sf_assets.commands.plan import chosen_specs
from sf_assets.commands.settings import deployment
from sf_assets.errors import ConfigError, TableDamaged, TableForeign
from sf_assets.specs.endpoints import endpoints as all_endpoints
from sf_assets.specs.user_endpoints import HISTORY

if TYPE_CHECKING:
    from sf_assets.assets.deployments import Deployment
    from sf_assets.iceberg.maintenance.repair import Repair, StateCheck
    from sf_assets.iceberg.tables import IcebergTables

STATUS_TABLE = "_sync_status"


@click.command()
@endpoints_argument
@click.option("--apply", "is_applied", is_flag=True, help="Repair. Without it, only print what would be done.")
@click.option("--deep", is_flag=True, help="Also read every value of every file.")
@click.option("--full-copy", is_flag=True, help="Set the named tables aside, damaged or not.")
def repair(endpoints: tuple[str, ...], is_applied: bool, deep: bool, full_copy: bool) -> None:
    """Return damaged tables to their newest whole version.

    Prints a plan unless --apply is given. No file is deleted. The next run reads what the whole version lacks from
    Salesforce. Exit status: 1 if damage was found and --apply was not given.
    """
    if full_copy and not endpoints:
        raise ConfigError("--full-copy needs the names of endpoints", remedy="Name the endpoints to copy in full.")
    settings = deployment()
    names = table_names(settings, endpoints)
    tables = settings.iceberg.tables()
    repairs = [plan for name in names if (plan := plan_repair(tables, name, deep=deep, full_copy=full_copy)).does]
    for plan in repairs:
        click.echo("\n".join(report(plan)))
        if is_applied:
            tables.maintenance.repair(plan, is_state_valid=state_check(plan.table))
    flags = [flag for flag, is_set in (("--deep", deep), ("--full-copy", full_copy)) if is_set]
    click.echo(summary(repairs, len(names), is_applied=is_applied, flags=flags))
    sys.exit(int(bool(repairs) and not is_applied))


def plan_repair(tables: "IcebergTables", name: str, *, deep: bool, full_copy: bool) -> "Repair":
    """Return the plan for one table."""
    return tables.maintenance.plan_repair(name, is_state_valid=state_check(name), deep=deep, full_copy=full_copy)


def table_names(settings: "Deployment", names: Sequence[str]) -> list[str]:
    """Return the tables of the chosen endpoints and groups, or all of them.

    The tables of histories and the status table can be chosen by their names.
    """
    from sf_assets.assets.freshness import with_history
    from sf_assets.iceberg.history_state import history_name

    specs = all_endpoints(settings.specs)
    histories = [history_name(endpoint) for endpoint in sorted(with_history(specs, settings.history))]
    others = [*histories, STATUS_TABLE]
    named = [name for name in others if name in names]
    endpoints = [name for name in names if name not in named]
    own = [spec.endpoint for spec in chosen_specs(specs, endpoints)] if endpoints or not names else []
    return own + (named if names else others)


def state_check(name: str) -> "StateCheck":
    """Return the check whether this or a newer version of sf_assets can read a state."""
    from sf_assets.iceberg.history_state import HistoryState
    from sf_assets.sync.state import State  # imported here: --help needs neither Polars nor pyiceberg

    def is_state_valid(text: str) -> bool:
        try:
            HistoryState.from_json(text, name=name) if name.endswith(HISTORY) else State.from_json(text)
        except TableDamaged:
            return False
        except TableForeign:
            return True
        return True

    return is_state_valid


def report(plan: "Repair") -> list[str]:
    """Return the lines for one table: its damage and what a repair does."""
    lines = [f"  damaged: {damage}" for damage in plan.damage[:20]]
    more = [f"  and {len(plan.damage) - 20} more"] if len(plan.damage) > 20 else []
    return [f"{plan.table}:", *lines, *more, f"  repair: {plan.does}"]


def summary(repairs: Sequence["Repair"], count: int, *, is_applied: bool, flags: Sequence[str] = ()) -> str:
    """Return the last line. `flags`: those without which the damage is not found again."""
    if not repairs:
        return f"{count} tables checked, no damage"
    if is_applied:
        names = ", ".join(plan.table for plan in repairs)
        return f"Repaired: {names}. Run these endpoints to read what is missing."
    command = " ".join(["sf-assets repair --apply", *flags, *(plan.table for plan in repairs)])
    return f"Nothing was changed. To repair: {command}"
