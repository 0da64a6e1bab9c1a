"""`sf-assets setup`: what a person does once in AWS, Snowflake and Salesforce, printed with their values.

It prints and changes nothing. The person sees each statement before it runs, and `sf-assets doctor` checks the result.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any, cast

import click

from sf_assets.commands.setup.values import SetupValues
from sf_assets.specs.endpoints import endpoints

Command = Callable[..., None]
DEFAULTS = SetupValues()
HELP = {
    "account_id": "Number of the AWS account, 12 digits.",
    "region": "AWS region of the bucket, Glue and Snowflake, for example eu-central-1.",
    "bucket": "S3 bucket of the tables, without dots in its name.",
    "prefix": "Folder of the tables in the bucket.",
    "namespace": "Glue database of the first org's tables.",
    "secret": "Name of the secret with the Salesforce credentials in AWS Secrets Manager.",
    "kubernetes_namespace": "Kubernetes namespace of the run pods.",
    "service_account": "Kubernetes service account of the run pods.",
    "external_id": "Text that Snowflake must send to assume the reader role; the same in all scripts.",
    "volume_user_arn": "Snowflake's IAM user of the external volume, from DESC EXTERNAL VOLUME.",
    "catalog_user_arn": "Snowflake's IAM user of the integration, from DESC CATALOG INTEGRATION.",
    "database": "Snowflake database of the tables.",
    "schema": "Snowflake schema of the tables in mode tables.",
    "role": "Snowflake role of the runs.",
    "user": "Snowflake user of the runs.",
    "public_key": "Public key of that user, without its BEGIN and END lines.",
    "warehouse": "Snowflake warehouse of the runs.",
    "reader": "Snowflake role of the people who query the tables.",
    "orgs": "The orgs besides the first, by their SF_ASSETS_ORG: emea,us.",
    "runs_on": "Service that the runs run on; pods.eks.amazonaws.com for EKS Pod Identity, ec2.amazonaws.com.",
    "oidc_provider": "Host and path of the EKS cluster's OIDC issuer, for IAM roles for service accounts.",
    "cluster": "Name of the EKS cluster, for EKS Pod Identity.",
    "kms_key": "ARN of your KMS key for the bucket; default: the bucket's own encryption.",
    "refresh_seconds": "How often Snowflake polls each table of a linked database (30 to 86400).",
    "discovery_seconds": "How often Snowflake looks for new tables (30 to 86400).",
    "keep_days": "Days for which snapshots stay; a table with a history keeps five at least.",
}


HISTORY = "Endpoints or groups with a history; default: as SF_ASSETS_HISTORY and endpoints.toml say."
MODE = "linked: one database that follows the Glue catalog. tables: one Iceberg table for each endpoint."
ENGINE = "Engine that maintains the tables: Spark SQL, EMR Serverless, Glue's optimizers or S3 Tables."


def _options(*names: str) -> Callable[[Command], Command]:
    """Give a command the options of these values."""

    def decorate(command: Command) -> Command:
        for name in reversed(names):
            default = getattr(DEFAULTS, name)
            settings = {"default": default, "show_default": bool(default), "help": HELP[name]}
            command = click.option(f"--{name.replace('_', '-')}", **settings)(command)
        return command

    return decorate


@click.group()
def setup() -> None:
    """Print the set-up of AWS, Snowflake and Salesforce."""


@setup.command("aws")
@_options("account_id", "region", "bucket", "prefix", "namespace", "orgs", "secret", "runs_on")
@_options("oidc_provider", "cluster", "kubernetes_namespace", "service_account", "kms_key")
@click.option("--lake-formation", is_flag=True, help="Lake Formation manages the catalog: print its grants too.")
@_options("external_id", "volume_user_arn", "catalog_user_arn")
def aws(**values: Any) -> None:
    """Print bucket, Glue database, roles and policies (shell).

    Run the script step by step: AWS refuses to create what exists.
    """
    from sf_assets.commands.setup.aws import aws_script

    click.echo(aws_script(SetupValues(**values)), nl=False)


@setup.command("snowflake")
@click.option("--mode", type=click.Choice(["linked", "tables"]), default="linked", show_default=True, help=MODE)
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
@click.option(
    "--endpoints", "names_or_groups", default="", help="Names or groups, as in SF_ASSETS_ENDPOINTS; default: all."
)
@_options("secret")
def salesforce(names_or_groups: str, secret: str) -> None:
    """Print app, user and permission set for the endpoints."""
    from sf_assets.assets.deployments import read_specs_folder
    from sf_assets.assets.freshness import automated
    from sf_assets.commands.setup.salesforce import salesforce_steps

    specs = endpoints(read_specs_folder())
    names = automated(specs, names_or_groups)
    chosen_specs = [spec for spec in specs if spec.endpoint in names]
    click.echo(salesforce_steps(chosen_specs, SetupValues(secret=secret)), nl=False)


@setup.command("upkeep")
@click.option("--engine", type=click.Choice(["spark", "emr", "glue", "s3tables"]), required=True, help=ENGINE)
@click.option(
    "--endpoints", "names_or_groups", default="", help="Names or groups, as in SF_ASSETS_ENDPOINTS; default: all."
)
@click.option("--history", help=HISTORY)
@_options("account_id", "region", "bucket", "prefix", "namespace", "orgs", "kms_key", "keep_days")
def upkeep(engine: str, names_or_groups: str, history: str | None, **values: Any) -> None:
    """Print what another engine runs to maintain the tables."""
    from sf_assets.assets.deployments import read_specs_folder
    from sf_assets.assets.freshness import automated, with_history
    from sf_assets.commands.setup.upkeep import kept_days, upkeep_script

    specs, filled_in = endpoints(read_specs_folder()), SetupValues(**values)
    names = automated(specs, names_or_groups)
    histories = with_history(specs, os.environ.get("SF_ASSETS_HISTORY", "") if history is None else history)
    tables = kept_days([spec.endpoint for spec in specs if spec.endpoint in names], histories, filled_in)
    arguments = _as_arguments({"endpoints": names_or_groups, "history": ",".join(sorted(histories)), **values})
    click.echo(upkeep_script(filled_in, engine=cast("Any", engine), tables=tables, arguments=arguments), nl=False)


def _as_arguments(options: Mapping[str, Any]) -> list[str]:
    """Return the options of a command that are not their defaults, as words."""
    own_values = {name: value for name, value in options.items() if value and value != getattr(DEFAULTS, name, "")}
    return [word for name, value in own_values.items() for word in (f"--{name.replace('_', '-')}", str(value))]
