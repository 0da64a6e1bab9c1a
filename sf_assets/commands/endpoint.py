"""`sf-assets endpoint`: add an object of the org as an endpoint, and compare the specs with the org."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sf_assets.commands.endpoint_draft import diff_table, draft_endpoint
from sf_assets.commands.options import endpoints_argument
from sf_assets.commands.plan import chosen_specs, plan_run, print_plan
from sf_assets.commands.settings import deployment
from sf_assets.errors import ConfigError, ObjectUnavailable, SalesforceError
from sf_assets.specs.endpoints import ENDPOINTS
from sf_assets.specs.endpoints import endpoints as all_endpoints
from sf_assets.specs.user_endpoints import TABLE, read_user_endpoints

if TYPE_CHECKING:
    from sf_assets.assets.deployments import Deployment
    from sf_assets.salesforce.describe import SObject


@click.group()
def endpoint() -> None:
    """Add an object as an endpoint; compare specs and org."""


@endpoint.command()
@click.argument("sobject")
@click.option("--name", help="Name of the endpoint and its table. Default: the object's name in snake case.")
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Folder of your specs. Default: SF_ASSETS_SPECS, or specs/."
)
@click.option("--dry-run", is_flag=True, help="Print the two files' content and the cost, and write nothing.")
def add(sobject: str, name: str | None, folder: Path | None, dry_run: bool) -> None:
    """Make an object of the org an endpoint.

    SOBJECT is an API name such as Invoice__c. The command asks the org for its columns, writes NAME.soql and a row of
    endpoints.toml into the folder, and prints what the first copy costs.
    """
    from rich.console import Console

    settings = deployment()
    target = folder or settings.specs or Path("specs")
    answer = _describe(settings, [sobject])[sobject]
    if isinstance(answer, ObjectUnavailable):
        remedy = "Check the API name (a custom object ends in __c), and give the user read access to the object."
        raise ConfigError(f"the org shows no object {sobject} to this user", remedy=remedy)
    if isinstance(answer, SalesforceError):
        raise answer
    draft = draft_endpoint(answer, name=name, row_names=_row_names(target))
    if dry_run:
        click.echo(f"# {target / TABLE}\n{draft.toml}\n# {target / draft.file_name}\n{draft.soql}")
        return
    draft.write(target)
    click.echo(f"Wrote {target / draft.file_name} and a row of {target / TABLE}.\n")
    planned = plan_run(dataclasses.replace(settings, specs=target), [draft.row.endpoint])
    print_plan(Console(), planned)
    if settings.specs is None or settings.specs.resolve() != target.resolve():
        click.echo(f"\nSet SF_ASSETS_SPECS to use it: export SF_ASSETS_SPECS={target.resolve()}")
    click.echo(
        f"In Dagit: the asset {'/'.join(settings.naming.key(draft.row.endpoint).path)}, group {draft.row.group}."
    )


@endpoint.command()
@endpoints_argument
def diff(endpoints: tuple[str, ...]) -> None:
    """Compare the specs with the org's columns.

    ENDPOINTS are endpoints or groups; default: all. The command sends one describe call for 25 objects and changes
    nothing.
    """
    from rich.console import Console

    settings = deployment()
    specs = chosen_specs(all_endpoints(settings.specs), endpoints)
    described = _describe(settings, [spec.sobject for spec in specs])
    Console().print(diff_table(specs, described))


def _describe(settings: "Deployment", sobjects: Sequence[str]) -> "Mapping[str, SObject | SalesforceError]":
    """Return each object's describe, or its error. Raises: ConfigError if the org serves no describe."""
    answers = settings.salesforce.resolved().client().describe(list(dict.fromkeys(sobjects)), fresh=True)
    described = {name: answer for name, answer in answers.items() if answer is not None}
    if len(described) < len(answers):
        raise ConfigError("the org, or a gateway before it, serves no describe", remedy="Write the .soql file by hand.")
    return described


def _row_names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return [row.endpoint for row in read_user_endpoints(folder, ENDPOINTS).rows]
