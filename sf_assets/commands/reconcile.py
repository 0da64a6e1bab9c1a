"""`sf-assets reconcile`: compare tables with their org now, print what differs, and write it."""

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from sf_assets.commands.options import endpoints_argument
from sf_assets.commands.plan import chosen_specs
from sf_assets.commands.settings import deployment
from sf_assets.errors import SfAssetsError

if TYPE_CHECKING:  # `sf-assets --help` must not load Dagster and Polars
    from sf_assets.assets.deployments import Deployment
    from sf_assets.specs.model import EndpointSpec
    from sf_assets.sync.reconcile.compare import Differences

SHOWN_IDS = 5
"""Ids that a line names; the others are counted."""


@click.command()
@endpoints_argument
@click.option("--dry-run", is_flag=True, help="Print what differs and write nothing.")
def reconcile(endpoints: tuple[str, ...], dry_run: bool) -> None:
    """Compare tables with the org now, and make them equal.

    ENDPOINTS are endpoints or groups; default: all. It first prints the rows that differ. Without --dry-run it then
    runs the endpoints with `reconcile: true`. Exit status 1: an endpoint could not be compared, or its run failed.
    """
    settings = deployment()
    specs = chosen_specs(_all_specs(settings), endpoints)
    failed = False
    for line, is_error in differing(settings, specs):
        click.echo(line)
        failed |= is_error
    if not dry_run:
        failed |= not run(settings, specs)
    sys.exit(int(failed))


def _all_specs(settings: "Deployment") -> "Sequence[EndpointSpec]":
    from sf_assets.specs.endpoints import endpoints

    return endpoints(settings.specs)


def differing(settings: "Deployment", specs: "Sequence[EndpointSpec]") -> Iterator[tuple[str, bool]]:
    """Yield a line for each endpoint, and whether it is an error."""
    from datetime import UTC, datetime

    from sf_assets.sync.endpoint import find_differences
    from sf_assets.sync.preflight import preflight

    salesforce, tables = settings.salesforce.resolved(), settings.iceberg.tables()
    client = salesforce.client()

    def now() -> datetime:
        return datetime.now(UTC)

    answers = preflight(specs, tables=tables, client=client, read_deleted=salesforce.read_deleted, now=now)
    for spec in specs:
        options = salesforce.deployment_options(hashes=bool(spec.hashed))
        try:
            comparison = find_differences(
                spec, preflight=answers, tables=tables, client=client, now=now, deployment=options
            )  # fmt: skip
            yield described(spec, comparison), False
        except SfAssetsError as error:
            yield f"{spec.endpoint}: {error}", True


def described(spec: "EndpointSpec", comparison: "Differences | None") -> str:
    """Return the line of one endpoint."""
    if comparison is None:
        why = "it is replaced as a whole" if spec.how == "snapshot" else "it is not read completely yet"
        return f"{spec.endpoint}: not compared, {why}."
    if not comparison.outdated and not comparison.surplus:
        return f"{spec.endpoint}: equal to the org."
    parts = [
        _counted("new or changed in the org", comparison.outdated),
        _counted("in the table and not shown by the org", comparison.surplus),
    ]
    return f"{spec.endpoint}: {'; '.join(filter(None, parts))}."


def _counted(what: str, ids: Sequence[str]) -> str:
    if not ids:
        return ""
    more = f" and {len(ids) - SHOWN_IDS:,} more" if len(ids) > SHOWN_IDS else ""
    return f"{len(ids):,} {what}: {', '.join(ids[:SHOWN_IDS])}{more}"


def run(settings: "Deployment", specs: "Sequence[EndpointSpec]") -> bool:
    """Run the endpoints with `reconcile: true` in this process; return whether all succeeded."""
    from sf_assets.commands.settings import dagster_instance
    from sf_assets.definitions import defs

    keys = [settings.naming.key(spec.endpoint) for spec in specs]
    ops = {"__".join(key.path): {"config": {"reconcile": True}} for key in keys}
    config = {"ops": ops, "loggers": {"console": {"config": {"log_level": "WARNING"}}}}
    job = defs.resolve_implicit_global_asset_job_def().get_subset(asset_selection=set(keys))
    with dagster_instance() as instance:
        return job.execute_in_process(instance=instance, raise_on_error=False, run_config=config).success
