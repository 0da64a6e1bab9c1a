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

if TYPE_CHECKING:
    from sf_assets.iceberg.maintenance.repair import Repair
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
    names = [spec.endpoint for spec in chosen_specs(all_endpoints(settings.specs), endpoints)] + (
        [] if endpoints else [STATUS_TABLE]
    )
    tables = settings.iceberg.tables()
    repairs = [plan for name in names if (plan := plan_repair(tables, name, deep=deep, full_copy=full_copy)).does]
    for plan in repairs:
        click.echo("\n".join(report(plan)))
        if is_applied:
            tables.maintenance.repair(plan, is_state_valid=is_state_valid)
    click.echo(summary(repairs, len(names), is_applied=is_applied))
    sys.exit(int(bool(repairs) and not is_applied))


def plan_repair(tables: "IcebergTables", name: str, *, deep: bool, full_copy: bool) -> "Repair":
    """Return the plan for one table."""
    return tables.maintenance.plan_repair(name, is_state_valid=is_state_valid, deep=deep, full_copy=full_copy)


def is_state_valid(text: str) -> bool:
    """Return whether the state is readable, by this version of sf_assets or a newer one."""
    from sf_assets.sync.state import State  # imported here: --help needs neither Polars nor pyiceberg

    try:
        State.from_json(text)
    except TableDamaged:
        return False
    except TableForeign:
        return True
    return True


def report(plan: "Repair") -> list[str]:
    """Return the lines for one table: its damage and what a repair does."""
    lines = [f"  damaged: {damage}" for damage in plan.damage[:20]]
    more = [f"  and {len(plan.damage) - 20} more"] if len(plan.damage) > 20 else []
    return [f"{plan.table}:", *lines, *more, f"  repair: {plan.does}"]


def summary(repairs: Sequence["Repair"], count: int, *, is_applied: bool) -> str:
    """Return the last line."""
    if not repairs:
        return f"{count} tables checked, no damage"
    names = ", ".join(plan.table for plan in repairs)
    if is_applied:
        return f"Repaired: {names}. Run these endpoints to read what is missing."
    return f"Nothing was changed. To repair: sf-assets repair --apply {names.replace(',', '')}"
