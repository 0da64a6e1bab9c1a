"""`sf-assets setup`: what a person does once in AWS, Snowflake and Salesforce, printed with their values.

It prints and changes nothing. The person sees each statement before it runs, and `sf-assets doctor` checks the result.
"""

from collections.abc import Callable
from typing import Any, cast

import click

from sf_assets.commands.setup.values import SetupValues
from sf_assets.specs.endpoints import endpoints

Command = Callable[..., None]
DEFAULTS = SetupValues()
HELP = {
    "orgs": "The orgs besides the first, by their SF_ASSETS_ORG: emea,us.",
    "runs_on": "Service that the runs run on; pods.eks.amazonaws.com for EKS Pod Identity, ec2.amazonaws.com.",
    "oidc_provider": "Host and path of the EKS cluster's OIDC issuer, for IAM roles for service accounts.",
    "cluster": "Name of the EKS cluster, for EKS Pod Identity.",
    "kms_key": "ARN of your KMS key for the bucket; default: the bucket's own encryption.",
    "refresh_seconds": "How often Snowflake polls each table of a linked database (30 to 86400).",
    "discovery_seconds": "How often Snowflake looks for new tables (30 to 86400).",
}


def _options(*names: str) -> Callable[[Command], Command]:
    """Give a command the options of these values."""

    def decorate(command: Command) -> Command:
        for name in reversed(names):
            default = getattr(DEFAULTS, name)
            settings = {"default": default, "show_default": bool(default), "help": HELP.get(name)}
            command = click.option(f"--{name.replace('_', '-')}", **settings)(command)
        return command

    return decorate


@click.group()
def setup() -> None:
    """Print the set-up of AWS, Snowflake and Salesforce with your values."""


@setup.command("aws")
@_options("account_id", "region", "bucket", "prefix", "namespace", "orgs", "secret", "runs_on")
@_options("oidc_provider", "cluster", "kubernetes_namespace", "service_account", "kms_key")
@click.option("--lake-formation", is_flag=True, help="Lake Formation manages the catalog: print its grants too.")
@_options("external_id", "volume_user_arn", "catalog_user_arn")
def aws(**values: Any) -> None:
    """Print the bucket, the Glue database, both roles and their policies, as a shell script."""
    from sf_assets.commands.setup.aws import aws_script

    click.echo(aws_script(SetupValues(**values)), nl=False)


@setup.command("snowflake")
@click.option("--mode", type=click.Choice(["linked", "tables"]), default="linked", show_default=True)
@_options("account_id", "region", "bucket", "prefix", "namespace", "orgs", "external_id")
@_options("database", "schema", "role", "user", "public_key", "warehouse", "reader")
@_options("refresh_seconds", "discovery_seconds")
def snowflake(mode: str, **values: Any) -> None:
    """Print the statements in their order, as a SQL script."""
    from sf_assets.assets.deployments import read_specs_folder
    from sf_assets.commands.setup.snowflake import snowflake_script

    names = [*(spec.endpoint for spec in endpoints(read_specs_folder())), "_sync_status"]
    click.echo(snowflake_script(SetupValues(**values), mode=cast("Any", mode), tables=names), nl=False)


@setup.command("salesforce")
@click.option("--endpoints", "chosen", default="", help="Names or groups, as in SF_ASSETS_ENDPOINTS; default: all.")
@_options("secret")
def salesforce(chosen: str, secret: str) -> None:
    """Print the app, the user and the permission set that the endpoints need."""
    from sf_assets.assets.deployments import read_specs_folder
    from sf_assets.assets.freshness import automated
    from sf_assets.commands.setup.salesforce import salesforce_steps

    specs = endpoints(read_specs_folder())
    names = automated(specs, chosen)
    chosen_specs = [spec for spec in specs if spec.endpoint in names]
    click.echo(salesforce_steps(chosen_specs, SetupValues(secret=secret)), nl=False)


@setup.command("upkeep")
@click.option("--engine", type=click.Choice(["spark", "emr", "glue", "s3tables"]), required=True)
@click.option("--endpoints", "chosen", default="", help="Names or groups, as in SF_ASSETS_ENDPOINTS; default: all.")
@_options("account_id", "region", "bucket", "prefix", "namespace", "orgs", "kms_key")
def upkeep(engine: str, chosen: str, **values: Any) -> None:
    """Print what another engine runs, or switches on, to maintain the tables."""
    from sf_assets.assets.deployments import read_specs_folder
    from sf_assets.assets.freshness import automated
    from sf_assets.commands.setup.upkeep import upkeep_script

    specs = endpoints(read_specs_folder())
    names = automated(specs, chosen)
    tables = [*(spec.endpoint for spec in specs if spec.endpoint in names), "_sync_status"]
    click.echo(upkeep_script(SetupValues(**values), engine=cast("Any", engine), tables=tables), nl=False)
