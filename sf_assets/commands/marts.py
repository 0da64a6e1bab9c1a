"""`sf-assets marts`: fill the tables, build the dbt marts, run dbt's tests, and serve Dagit."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from sf_assets.commands.options import dagit_port_option, pace_option, port_option, row_options, rows_option
from sf_assets.commands.ports import require_free
from sf_assets.commands.settings import practice_deployment, use_practice
from sf_assets.errors import ConfigError

if TYPE_CHECKING:
    from sf_assets.assets.naming import Naming


@click.command()
@port_option
@rows_option
@pace_option
@click.option("--dagit/--no-dagit", default=True, show_default=True, help="Serve Dagit afterwards, until Ctrl-C.")
@dagit_port_option
def marts(port: int | None, rows: tuple[str, ...], pace: float, dagit: bool, dagit_port: int) -> None:
    """Build the dbt marts over the practice org's tables.

    The command fills the tables, builds all marts on DuckDB, runs all dbt tests, and serves Dagit.
    """
    from rich.console import Console

    from sf_assets.commands.dev import serve
    from sf_assets.commands.practice import practice_org
    from sf_assets.commands.run_all import run_with_progress

    if dagit:
        require_free(dagit_port, flag="--dagit-port", what="Dagit")
    os.environ["SF_ASSETS_DBT"] = "1"
    console, deployment = Console(), practice_deployment("marts")
    home, naming = deployment.home, deployment.naming
    with (
        console.status("Starting the practice org ...") as status,
        practice_org(deployment.practice, port=port, options=row_options(rows)) as url,
    ):
        use_practice(url, deployment)
        status.update("Loading Dagster and dbt ...")
        outcomes = run_with_progress(status)
        status.update("Running all dbt tests ...")
        is_green = run_dbt_tests(deployment.dbt_project, home, naming)
    console.print(mart_table(home, naming))
    errors = [outcome.error for outcome in outcomes if outcome.error]
    for line in errors:
        console.print(line, style="red", markup=False, highlight=False)
    if errors or not is_green:
        console.print("Not all marts and tests are green: see above.", style="red")
        sys.exit(1)
    console.print(f"All dbt tests have passed. The marts are in {database(home, naming)}", soft_wrap=True)
    if dagit:
        serve(port=port, rows=rows, pace=pace, dagit_port=dagit_port)


def run_dbt_tests(project: Path, home: Path, naming: "Naming") -> bool:
    """Run every dbt test of the project on DuckDB and return whether all passed.

    dbt prints failures and warnings.
    """
    executable = Path(sys.executable).with_name("dbt")
    if not executable.exists():
        raise ConfigError("dbt is not installed", remedy="Install the extra: sf-assets[dbt], or: make install.")
    folder = home / naming.of_org("dbt") / "tested"
    places = ("--project-dir", project, "--profiles-dir", project, "--target-path", folder, "--log-path", folder)
    options = ("--target", "duckdb", "--vars", json.dumps({"home": str(home)}))
    return subprocess.run([executable, "--quiet", "test", *places, *options], check=False).returncode == 0


def database(home: Path, naming: "Naming") -> Path:
    """Return the DuckDB file of this code location's marts, as in dbt/profiles.yml."""
    return home / f"{naming.of_org('analytics')}.duckdb"


def mart_table(home: Path, naming: "Naming") -> Table:
    """Return the printed table: the rows and columns of each mart."""
    import duckdb

    schema = naming.of_org("marts")
    table = Table(box=None, header_style="bold", padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("mart", no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("columns", justify="right", no_wrap=True)
    query = f"select table_name, estimated_size, column_count from duckdb_tables() where schema_name = '{schema}'"
    with duckdb.connect(str(database(home, naming)), read_only=True) as connection:
        for name, rows, columns in connection.execute(f"{query} order by 1").fetchall():
            table.add_row(name, f"{rows:,}", str(columns))
    return table
