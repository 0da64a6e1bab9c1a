"""`sf-assets setup`: what a person has to do once in AWS, Snowflake and Salesforce, printed and filled in.

It prints and does nothing: who runs the scripts sees each statement before it acts, and `sf-assets doctor` checks it.
"""

from collections.abc import Callable
from typing import Any, cast

import click

from sf_assets.commands.setup.aws import aws_script
from sf_assets.commands.setup.salesforce import salesforce_steps
from sf_assets.commands.setup.snowflake import snowflake_script
from sf_assets.commands.setup.values import Values
from sf_assets.specs.endpoints import endpoints

Command = Callable[..., None]
DEFAULTS = Values()
HELP = {"orgs": "The orgs beside the first, by their SF_ASSETS_ORG: emea,us."}


def _options(*names: str) -> Callable[[Command], Command]:
    """Give a command the options of these values."""

    def decorate(command: Command) -> Command:
        for name in reversed(names):
            default, words = getattr(DEFAULTS, name), HELP.get(name)
            told = {"default": default, "show_default": bool(default), "help": words}
            option = click.option(f"--{name.replace('_', '-')}", **told)
            command = option(command)
        return command

    return decorate


@click.group()
def setup() -> None:
    """Print what has to be done once in AWS, in Snowflake and in Salesforce, filled in with your values."""


@setup.command("aws")
@_options("account_id", "region", "bucket", "prefix", "namespace", "orgs", "secret", "runs_on")
@_options("external_id", "volume_user_arn", "catalog_user_arn")
def aws(**told: str) -> None:
    """Print the bucket, the Glue database, both roles and their policies, as a shell script."""
    click.echo(aws_script(Values(**told)), nl=False)


@setup.command("snowflake")
@click.option("--mode", type=click.Choice(["linked", "tables"]), default="linked", show_default=True)
@_options("account_id", "region", "bucket", "prefix", "namespace", "orgs", "external_id")
@_options("database", "schema", "role", "user", "public_key", "warehouse", "reader")
def snowflake(mode: str, **told: str) -> None:
    """Print the statements in their order, as a SQL script."""
    names = [*(spec.endpoint for spec in endpoints()), "_sync_status"]
    click.echo(snowflake_script(Values(**told), mode=cast("Any", mode), tables=names), nl=False)


@setup.command("salesforce")
@click.option("--endpoints", "chosen", default="", help="Names or groups, as in SF_ASSETS_ENDPOINTS; default: all.")
@_options("secret")
def salesforce(chosen: str, secret: str) -> None:
    """Print the app, the user and the permission set that the endpoints need."""
    from sf_assets.assets.freshness import automated

    specs = endpoints()
    names = automated(specs, chosen)
    click.echo(salesforce_steps([spec for spec in specs if spec.endpoint in names], Values(secret=secret)), nl=False)
