"""`sf-assets erase-columns`: remove values that a table still holds against `excluded` or `hashed`."""

from typing import TYPE_CHECKING

import click

from sf_assets.commands.settings import deployment
from sf_assets.errors import ConfigError
from sf_assets.specs.user_endpoints import HISTORY

if TYPE_CHECKING:  # `sf-assets --help` must not load Dagster and Polars
    from pathlib import Path

    from sf_assets.iceberg.tables import IcebergTables
    from sf_assets.specs.model import EndpointSpec


@click.command("erase-columns")
@click.argument("endpoint")
@click.argument("columns", nargs=-1)
@click.option("--yes", is_flag=True, help="Do not ask before the values are removed.")
def erase_columns(endpoint: str, columns: tuple[str, ...], *, yes: bool) -> None:
    """Remove columns from all files of a table.

    COLUMNS are names in Salesforce or in the table; default: the columns that the endpoint excludes now. All older
    snapshots of the table go too, and the columns of its history. A column that the endpoint still reads comes back
    with its next full refresh, and hashed if it is hashed now.
    """
    settings = deployment()
    tables, spec = settings.iceberg.tables(), _spec(settings.specs, endpoint)
    names = held_columns(tables, spec, columns)
    if not names:
        click.echo(f"{endpoint}: the table holds none of these columns.")
        return
    what = f"{', '.join(names)} and all older snapshots"
    if not yes:
        click.confirm(f"Remove {what} of {endpoint}?", abort=True)
    files = tables.erase_columns(endpoint, names) + tables.erase_columns(f"{endpoint}{HISTORY}", names)
    click.echo(f"{endpoint}: {what} removed; {files} file{'s' * (files != 1)} rewritten.")


def held_columns(tables: "IcebergTables", spec: "EndpointSpec", columns: tuple[str, ...]) -> list[str]:
    """Return the table's names of the columns to remove.

    Raises:
        ConfigError: there is no table, a column is not in it, or nothing is named.
    """
    from sf_assets.specs.naming import EXACT, column_name

    facts = tables.facts(spec.endpoint)
    if facts is None:
        raise ConfigError(f"there is no table {spec.endpoint}", remedy="`sf-assets tables` lists the tables.")
    if not columns and not spec.excluded:
        what = f"{spec.endpoint} excludes no column, and no column is named"
        raise ConfigError(what, remedy=f"Name the columns: sf-assets erase-columns {spec.endpoint} Birthdate")
    wanted = {name: name if name in facts.columns else column_name(name) for name in columns or spec.excluded}
    unknown = [name for name in columns if wanted[name] not in facts.columns]
    if unknown:
        remedy = f"The table has: {', '.join(sorted(facts.columns))}."
        raise ConfigError(f"{spec.endpoint} has no column {unknown[0]}", remedy=remedy)
    named = [name for name in wanted.values() if name in facts.columns]
    return [*named, *(f"{name}{EXACT}" for name in named if f"{name}{EXACT}" in facts.columns)]


def _spec(specs: "Path | None", endpoint: str) -> "EndpointSpec":
    from sf_assets.commands.plan import chosen_specs
    from sf_assets.specs.endpoints import endpoints

    matches = chosen_specs(endpoints(specs), (endpoint,))
    if len(matches) != 1:
        raise ConfigError(f"{endpoint} is a group", remedy="Name one endpoint.")
    return next(iter(matches))
