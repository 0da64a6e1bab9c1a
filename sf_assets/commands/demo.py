"""`sf-assets demo`: fill the tables from the practice org and print what was read."""

import os
import sys
from typing import TYPE_CHECKING

import click

from sf_assets.commands.options import port_option, row_options, rows_option
from sf_assets.commands.settings import deployment, practice_deployment, use_practice

if TYPE_CHECKING:
    from rich.console import Console

    from sf_assets.assets.deployments import Deployment
    from sf_assets.commands.run_all import Outcome


@click.command()
@port_option
@rows_option
def demo(port: int | None, rows: tuple[str, ...]) -> None:
    """Fill the thirty tables from the practice org.

    The command starts the practice org, a Salesforce org on this machine, reads its thirty endpoints in one run, and
    prints rows, calls and seconds of each. A second demo reads only what changed.
    """
    from rich.console import Console

    from sf_assets.commands.practice import practice_org
    from sf_assets.commands.run_all import run_with_progress

    console, before = Console(), practice_deployment("demo")
    with (
        console.status("Starting the practice org ...") as status,
        practice_org(before.practice, port=port, options=row_options(rows)) as url,
    ):
        use_practice(url, before)
        status.update("Loading Dagster ...")
        outcomes = run_with_progress(status)
    _print(console, outcomes, deployment())  # the run's: with the port of the practice org
    sys.exit(0 if outcomes and not any(outcome.error for outcome in outcomes) else 1)


def _print(console: "Console", outcomes: "list[Outcome]", used: "Deployment") -> None:
    from sf_assets.commands.run_all import failures, outcome_table

    console.print()
    console.print(outcome_table(outcomes))
    for line in failures(outcomes):
        console.print(line, style="red", markup=False, highlight=False)
    shared = used.salesforce.resolved().client().calls - sum(outcome.calls for outcome in outcomes)
    console.print(f"Login, describe and probe of all endpoints together: {shared} calls more.", highlight=False)
    program = os.path.relpath(sys.argv[0]) if sys.argv[0].endswith("sf-assets") else "python -m sf_assets"
    console.print(f"\nThe tables are in {used.iceberg.local_folder}.", soft_wrap=True)
    console.print(f"List them: {program} tables", soft_wrap=True, highlight=False)
    console.print("Query them: README.md. See them in Dagit: make dev", highlight=False)
