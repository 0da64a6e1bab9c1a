"""`sf-assets practice`: serve the practice org; change it, break it and fix it while it runs."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from sf_assets.commands.options import FiniteRange, row_options, rows_option
from sf_assets.commands.ports import require_free
from sf_assets.commands.settings import deployment
from sf_assets.errors import ConfigError


class PracticeGroup(click.Group):
    """A group with a `--rows` that takes several sizes, as `--rows account=5 task=9`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give each size after the first its own `--rows`."""
        return super().parse_args(ctx, _spread(args))


def _spread(args: list[str]) -> list[str]:
    spread: list[str] = []
    for place, argument in enumerate(args):
        before = spread[-2:] if place else []
        is_more = "=" in argument and not argument.startswith("-") and before[:1] == ["--rows"]
        spread += ["--rows", argument] if is_more else [argument]
    return spread


DAILY_LIMIT = 100_000
"""Daily calls of a practice org with default settings."""
home_option = click.option(
    "--home", type=click.Path(path_type=Path), help="Folder of the org. Default: practice/ under SF_ASSETS_HOME."
)


@click.group("practice", cls=PracticeGroup, invoke_without_command=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8630, show_default=True, help="Port on 127.0.0.1.")
@home_option
@click.option("--seed", type=int, help="Seed of the data: another number makes other rows. Default: 7.")
@rows_option
@click.option(
    "--pace",
    type=FiniteRange(min=0),
    default=0.0,
    show_default=True,
    metavar="N",
    help="Changes a minute while it runs.",
)
@click.option("--behaviour", metavar="JSON", help="Settings, as JSON or a file of it: docs/devorg.md.")
@click.option("--faults", metavar="JSON", help="Faults, as a JSON list or a file of it: docs/devorg.md.")
@click.pass_context
def practice(ctx: click.Context, /, port: int, home: Path | None, rows: tuple[str, ...], **settings: Any) -> None:
    """Serve the practice org, until Ctrl-C.

    The practice org is a Salesforce org on 127.0.0.1 with made-up data. Its folder keeps it: a second start continues
    with the same rows.

    \b
    While it runs, in another terminal:
      sf-assets practice change account Name="Acme Ltd"
      sf-assets practice break account --hide-column Phone
      sf-assets practice fix
    """
    if ctx.invoked_subcommand is not None:
        return
    from sf_assets.commands.practice import command, serving, write_server_file

    folder = home or deployment().practice
    if url := serving(folder):
        raise ConfigError(f"the practice org of {folder} is already served on {url}", remedy="Use it, or end it first.")
    require_free(port, flag="--port", what="the practice org")
    write_server_file(folder, port=port, pid=os.getpid())
    os.execv(sys.executable, command(folder, port, _options(rows, settings)))


def _options(rows: tuple[str, ...], settings: dict[str, Any]) -> list[str]:
    return row_options(rows) + [
        part for name, value in settings.items() if value is not None for part in (f"--{name}", str(value))
    ]


# -- while it runs ------------------------------------------------------------------------------------------------


@practice.command()
@click.argument("endpoint")
@click.argument("assignments", nargs=-1, metavar="[COLUMN=VALUE]...")
@click.option("--id", "record_id", help="The record to change; default: the first one.")
@click.option("--insert", "verb", flag_value="insert", help="Insert a record with these values.")
@click.option("--delete", "verb", flag_value="delete", help="Move the record to the recycle bin.")
@click.option("--undelete", "verb", flag_value="undelete", help="Take the record (--id) out of the recycle bin.")
@click.option("--purge", "verb", flag_value="purge", help="Delete the record permanently.")
@home_option
def change(
    endpoint: str, assignments: tuple[str, ...], record_id: str | None, verb: str | None, home: Path | None
) -> None:
    """Change one record of the running practice org.

    \b
      sf-assets practice change account Name="Acme Ltd"
      sf-assets practice change lead --insert LastName=Doe Company=Acme
      sf-assets practice change contact --purge
    """
    org, sobject = _running(home), _sobject(endpoint)
    values = org.values(sobject, assignments)
    if verb == "insert":
        click.echo(f"Inserted {sobject} {org.apply('insert', sobject=sobject, record=values)}.")
        return
    if verb is None and not values:
        raise click.UsageError('Name a change: COLUMN="new value", --insert, --delete, --undelete or --purge.')
    record_id = org.one_row(sobject, record_id)["Id"]
    arguments = {"values": values} if verb is None else {}
    org.apply(verb or "update", sobject=sobject, record_id=record_id, **arguments)
    click.echo(f"{PAST[verb]} {sobject} {record_id}.")


PAST = {None: "Updated", "delete": "Deleted", "undelete": "Undeleted", "purge": "Permanently deleted"}


@practice.command("break")
@click.argument("endpoint", required=False)
@click.option("--hide-column", metavar="NAME", help="Hide a column by field-level security.")
@click.option("--refuse-column", metavar="NAME", help="Leave a column in describe and refuse each query with it.")
@click.option("--hide-rows", metavar="N", type=int, help="Hide N records from the integration user.")
@click.option("--switch-off", is_flag=True, help="Switch the object off, as an org without its feature.")
@click.option("--fault", metavar="NAME", help="Answer with an error, for example daily_limit: docs/devorg.md.")
@click.option("--times", type=int, default=1, show_default=True, help="How often --fault occurs; 0: always.")
@home_option
def break_org(endpoint: str | None, home: Path | None, fault: str | None, times: int, **breaks: Any) -> None:
    """Break something in the running practice org. `practice fix` repairs it.

    \b
      sf-assets practice break account --hide-column Phone
      sf-assets practice break quote --switch-off
      sf-assets practice break --fault daily_limit
    """
    operations = {name: value for name, value in breaks.items() if value}
    if not operations and fault is None:
        raise click.UsageError(
            "Name what to break: --hide-column, --refuse-column, --hide-rows, --switch-off, --fault."
        )
    if operations and endpoint is None:
        raise click.UsageError("Name the endpoint of the column, records or object that you want to break.")
    org = _running(home)
    sobject = None if endpoint is None else _sobject(endpoint)
    if fault is not None:
        org.add_fault(refusal=fault, sobject=sobject, times=times or None)
        click.echo(f"{'Every request' if times == 0 else f'The next {times} request(s)'}: {fault}.")
    for name, value in operations.items():
        click.echo(_break(org, str(sobject), name, value))


def _break(org: Any, sobject: str, name: str, value: Any) -> str:
    if name == "switch_off":
        org.apply("switch_off", sobject=sobject)
        return f"{sobject} is switched off."
    if name == "hide_rows":
        org.apply("hide_rows", sobject=sobject, ids=org.row_ids(sobject, value))
        return f"{value} records of {sobject} are hidden."
    column = org.column(sobject, value)
    org.apply({"hide_column": "hide_field", "refuse_column": "refuse_field"}[name], sobject=sobject, name=column)
    return f"{sobject}.{column} is {'hidden' if name == 'hide_column' else 'refused in queries'}."


@practice.command()
@home_option
def fix(home: Path | None) -> None:
    """Undo what `practice break` did.

    Removes all faults, uses the default settings, and shows all columns, records and objects again. Runs ask the org
    again at once, also after a fault that said that the day's calls are used.
    """
    org = _running(home)
    org.fix()
    _reset_quota(org.url)
    click.echo("Fixed: no faults, default settings, all columns, records and objects are visible.")


def _reset_quota(url: str) -> None:
    """Set the used calls of the request ledger to 0. The org's next answer corrects them."""
    from sf_assets.salesforce.wire import Usage

    salesforce = deployment().salesforce.model_copy(update={"instance_url": url})
    ledger = salesforce.open_ledger()
    if usage := ledger.standing().quota.usage:
        ledger.read(Usage(0, usage.limit or DAILY_LIMIT))


def _running(home: Path | None) -> Any:
    from sf_assets.commands.practice import serving
    from sf_assets.commands.practice_changes import PracticeChanges

    folder = home or deployment().practice
    url = serving(folder)
    if url is None:
        raise ConfigError(
            f"no practice org of {folder} is running", remedy="Start it: sf-assets practice, or make dev."
        )
    return PracticeChanges(url)


def _sobject(endpoint: str) -> str:
    from sf_assets.commands.practice_changes import sobject_of

    return sobject_of(endpoint)
