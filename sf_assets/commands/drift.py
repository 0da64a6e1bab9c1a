"""`sf-assets drift`: how the columns of the tables have changed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sf_assets.commands.options import endpoints_argument
from sf_assets.commands.plan import chosen_specs
from sf_assets.commands.settings import deployment

if TYPE_CHECKING:  # `sf-assets --help` must not load pyiceberg
    from sf_assets.iceberg.column_history import ColumnChange


@click.command()
@endpoints_argument
def drift(endpoints: tuple[str, ...]) -> None:
    """Print how the columns of the tables have changed.

    ENDPOINTS are endpoints or groups; default: all. The list starts when a table was created. It comes from the
    tables' metadata alone: Salesforce is not asked.
    """
    from sf_assets.specs.endpoints import endpoints as all_endpoints

    settings = deployment()
    tables = settings.iceberg.tables()
    for spec in chosen_specs(all_endpoints(settings.specs), endpoints):
        changes = tables.column_changes(spec.endpoint)
        for change in changes:
            click.echo(f"{spec.endpoint}: {described(change)}")
        if not changes:
            click.echo(f"{spec.endpoint}: no change of a column")


def described(change: "ColumnChange") -> str:
    """Return one change as a line."""
    when = f"{change.at:%Y-%m-%d %H:%M} UTC" if change.at else "before the oldest snapshot"
    return f"{when}: {'; '.join(_parts(change))}"


def _parts(change: "ColumnChange") -> Iterator[str]:
    if change.added:
        yield f"added {', '.join(change.added)}"
    if change.removed:
        yield f"removed {', '.join(change.removed)}"
    for name, types in change.retyped.items():
        yield f"{name} from {types}"
    for former, present in change.renamed.items():
        yield f"{former} renamed to {present}"
