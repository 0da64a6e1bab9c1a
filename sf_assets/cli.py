"""The `sf-assets` command. It imports what it needs inside each command, so that `sf-assets --help` is instant."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from sf_assets.commands.setup.command import setup
from sf_assets.errors import ConfigError, SfAssetsError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

    from sf_assets.assets.deployments import Deployment
    from sf_assets.commands.demo import Outcome

PASS_ON: dict[str, Any] = {"ignore_unknown_options": True, "help_option_names": []}
"""Click settings of a command whose options belong to the practice org."""


class Commands(click.Group):
    """The border to the person: an error of ours is one message with its remedy and exit status 1, not a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SfAssetsError as error:
            click.secho(f"{type(error).__name__}: {error}", fg="red", err=True)
            click.echo(f"What to do: {error.remedy}", err=True)
            sys.exit(1)


@click.group(cls=Commands)
def main() -> None:
    """Salesforce as Apache Iceberg tables: thirty Dagster assets built from SOQL specs."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # children of a shell's background job would ignore it


main.add_command(setup)


def _leave(signum: int, frame: FrameType | None) -> None:
    """Unwind on SIGTERM, so that a child process is never left behind."""
    sys.exit(128 + signum)


@main.command(context_settings=PASS_ON)
@click.option("--port", default=8630)
@click.option("--home", type=click.Path(path_type=Path))
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def practice(port: int, home: Path | None, options: tuple[str, ...]) -> None:
    """Serve the practice org alone: a Salesforce org on 127.0.0.1 with made-up data.

    `sf-assets practice --help` lists its options (--port, --seed, --rows account=5000, ...).
    """
    from sf_assets.commands.practice import command, note, serving

    folder = home or _deployment().practice
    if url := serving(folder):
        raise ConfigError(f"the practice org of {folder} is already served on {url}", remedy="Use it, or end it first.")
    note(folder, port=port, pid=os.getpid())
    os.execv(sys.executable, command(folder, port, options))


port_option = click.option(
    "--port", type=int, help="The practice org's port on 127.0.0.1; default 8630, or a free one where that is taken."
)
rows_option = click.option("--rows", multiple=True, metavar="OBJECT=N", help="Size of an object in a new practice org.")


@main.command()
@port_option
@rows_option
def demo(port: int | None, rows: tuple[str, ...]) -> None:
    """Copy the practice org's thirty endpoints into local Iceberg tables and print what came in."""
    from rich.console import Console

    from sf_assets.commands.practice import practice_org

    console = Console()
    with (
        console.status("Starting the practice org ...") as status,
        practice_org(_deployment().practice, port=port, options=_sizes(rows)) as url,
    ):
        _use_practice(url)
        status.update("Loading Dagster ...")
        outcomes = _materialize(status)
    _print(console, outcomes)
    sys.exit(0 if outcomes and not any(outcome.error for outcome in outcomes) else 1)


def _materialize(status: "Status") -> "list[Outcome]":
    from rich.console import Console

    from sf_assets.commands.demo import endpoint_bar, materialize_all

    done: list[Outcome] = []
    status.stop()  # a terminal shows one moving thing at a time
    with os.fdopen(os.dup(sys.stdout.fileno()), "w") as out:  # Dagster keeps what a step writes to stdout itself
        console = Console(file=out)
        with endpoint_bar(console) as bar:
            task = bar.add_task("Reading ...", total=None)

            def report(outcome: "Outcome") -> None:
                done.append(outcome)
                bar.update(task, advance=1, description=outcome.endpoint)
                if not console.is_terminal:
                    console.print(f"{len(done):>3} {outcome.endpoint}: {outcome.kind}", highlight=False)

            outcomes = materialize_all(
                report,
                hear=lambda line: bar.update(task, description=line),
                begin=lambda count: bar.update(task, total=count),
            )
    status.start()
    return outcomes


def _print(console: "Console", outcomes: "list[Outcome]") -> None:
    from sf_assets.commands.demo import failures, outcome_table

    console.print()
    console.print(outcome_table(outcomes))
    for line in failures(outcomes):
        console.print(line, style="red", markup=False, highlight=False)
    deployment = _deployment()
    shared = deployment.salesforce.client().calls - sum(outcome.calls for outcome in outcomes)
    console.print(f"Login, describe and probe of all endpoints together: {shared} calls more.", highlight=False)
    console.print(f"\nThe tables lie in {deployment.iceberg.local_folder}.", soft_wrap=True)
    console.print(f"List them: {os.path.relpath(sys.argv[0])} tables", soft_wrap=True)
    console.print("How to read them: README.md. See the run and the assets in Dagit: make dev")


@main.command()
@port_option
@rows_option
@click.option("--dagit-port", default=3000, show_default=True, help="Dagit's port on 127.0.0.1.")
def dev(port: int | None, rows: tuple[str, ...], dagit_port: int) -> None:
    """Serve Dagit and Dagster's daemon, with the practice org beside them unless SF_ASSETS_DEPLOYMENT is production."""
    from sf_assets.commands.dagit import serve_dagit
    from sf_assets.commands.practice import practice_org

    if _deployment().name == "production":
        sys.exit(serve_dagit(dagit_port))
    with practice_org(_deployment().practice, port=port, options=_sizes(rows)) as url:
        _use_practice(url)
        click.echo(f"The practice org: {url}. Dagit, in some seconds: http://127.0.0.1:{dagit_port}. Ctrl-C ends both.")
        sys.exit(serve_dagit(dagit_port))


@main.command()
@port_option
@rows_option
@click.option("--dagit/--no-dagit", default=True, show_default=True, help="Serve Dagit afterwards, until Ctrl-C.")
@click.option("--dagit-port", default=3000, show_default=True, help="Dagit's port on 127.0.0.1.")
@click.pass_context
def marts(context: click.Context, port: int | None, rows: tuple[str, ...], dagit: bool, dagit_port: int) -> None:
    """Fill the tables from the practice org, build all marts on DuckDB, run all dbt tests, and show them in Dagit."""
    from rich.console import Console

    from sf_assets.commands.marts import database, every_test_passes, mart_table
    from sf_assets.commands.practice import practice_org

    os.environ["SF_ASSETS_DBT"] = "1"
    console = Console()
    with (
        console.status("Starting the practice org ...") as status,
        practice_org(_deployment().practice, port=port, options=_sizes(rows)) as url,
    ):
        _use_practice(url)
        status.update("Loading Dagster and dbt ...")
        outcomes = _materialize(status)
        status.update("Running all dbt tests ...")
        naming = _deployment().naming
        is_green = every_test_passes(_deployment().dbt_project, _home(), naming)
    console.print(mart_table(_home(), naming))
    failed = [outcome.error for outcome in outcomes if outcome.error]
    for line in failed:
        console.print(line, style="red", markup=False, highlight=False)
    if failed or not is_green:
        sys.exit(1)
    console.print(f"All dbt tests have passed. The marts lie in {database(_home(), naming)}", soft_wrap=True)
    if dagit:
        signal.signal(signal.SIGTERM, _leave)  # Dagster's run in this process has set its own
        context.invoke(dev, port=port, rows=rows, dagit_port=dagit_port)


@main.command()
@click.option("--project", type=click.Path(path_type=Path), help="The dbt project; default: the deployment's, dbt/.")
def sources(project: Path | None) -> None:
    """Write dbt's sources.yml and staging models anew from the specs, those of SF_ASSETS_SPECS included."""
    from sf_assets.commands.sources import write_sources
    from sf_assets.specs.endpoints import endpoints

    deployment = _deployment()
    changed = write_sources(project or deployment.dbt_project, endpoints(deployment.specs))
    for path in changed:
        click.echo(path)
    click.echo(f"{len(changed)} files written.")


@main.command()
@click.argument("endpoints", nargs=-1)
@click.option("--full-refresh", is_flag=True, help="Plan the reading of everything again.")
def plan(endpoints: tuple[str, ...], full_refresh: bool) -> None:
    """Say what a run over ENDPOINTS (or groups; default all) would cost, before anything is read.

    Exit status 3: first copies would be stopped by the reserve of the daily quota.
    """
    from rich.console import Console

    from sf_assets.commands.plan import TOO_DEAR, plan_run, plan_table, summary, verdict

    console, planned = Console(), plan_run(_deployment(), endpoints, full_refresh=full_refresh)
    console.print(plan_table(planned))
    console.print()
    for line in summary(planned):
        console.print(line, highlight=False, soft_wrap=True)
    if (against := verdict(planned)) is not None:
        console.print(against, style="red", highlight=False, soft_wrap=True)
        sys.exit(TOO_DEAR)


@main.command()
@click.argument("endpoints", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--ask-open-questions", is_flag=True, help="Ask the org what Salesforce's documentation leaves open.")
def doctor(endpoints: tuple[str, ...], as_json: bool, ask_open_questions: bool) -> None:
    """Check everything that ENDPOINTS (or groups; default all) need, and print what to do.

    Exit status 1: a check failed.
    """
    from sf_assets.commands.doctor.checks import exit_status
    from sf_assets.commands.doctor.report import report

    findings = report(_deployment(), endpoints, as_json=as_json, ask_open_questions=ask_open_questions)
    sys.exit(exit_status(findings))


@main.command()
def tables() -> None:
    """List the deployment's tables: rows, as of when each is true, how its last sync ended."""
    from rich.console import Console

    from sf_assets.commands.tables import location, table_list

    console, warehouse = Console(), _deployment().iceberg.warehouse()
    console.print(table_list(warehouse))
    console.print(f"\nThey lie under {location(warehouse)}", soft_wrap=True, highlight=False)


@main.command()
@click.option("--older-than-days", type=click.FloatRange(min=1), default=3, show_default=True, help="Others stay.")
def sweep(older_than_days: float) -> None:
    """Remove the tables' files that no snapshot needs any more, as for once a week by cron.

    Snapshots expire five days after they were made; the files that only they held stay until they are swept.
    """
    from datetime import timedelta

    from sf_assets.commands.sweep import swept

    for table, files in swept(_deployment().iceberg.warehouse(), older_than=timedelta(days=older_than_days)):
        said = "not a table of sf_assets, left alone" if files is None else f"{files} file{'s' * (files != 1)} removed"
        click.echo(f"{table}: {said}")


def _deployment() -> "Deployment":
    from sf_assets.assets.deployments import read_deployment

    return read_deployment()


def _home() -> Path:
    return _deployment().home


def _sizes(rows: tuple[str, ...]) -> list[str]:
    return [part for row in rows for part in ("--rows", row)]


def _use_practice(url: str) -> None:
    """Point this process and its children at the practice org."""
    os.environ |= {
        "SF_ASSETS_DEPLOYMENT": "practice",
        "SALESFORCE_INSTANCE_URL": url,
        "SF_ASSETS_HOME": str(_home()),
        "DAGSTER_HOME": os.environ.get("DAGSTER_HOME", str(_home())),
    }


if __name__ == "__main__":
    main()
