"""The marts after a run: dbt's own tests, those of the tables too, and what each mart holds."""

import json
import subprocess
import sys
from pathlib import Path

from rich.table import Table

from sf_assets.assets.naming import Naming
from sf_assets.errors import ConfigError


def every_test_passes(project: Path, home: Path, naming: Naming) -> bool:
    """Run every dbt test of the project on DuckDB, the tables' too; dbt prints those that fail or warn."""
    executable = Path(sys.executable).with_name("dbt")
    if not executable.exists():
        raise ConfigError("dbt is not installed", remedy="Install the extra: sf-assets[dbt], or: make install.")
    folder = home / naming.of_org("dbt") / "tested"
    places = ("--project-dir", project, "--profiles-dir", project, "--target-path", folder, "--log-path", folder)
    options = ("--target", "duckdb", "--vars", json.dumps({"home": str(home)}))
    return subprocess.run([executable, "--quiet", "test", *places, *options], check=False).returncode == 0


def database(home: Path, naming: Naming) -> Path:
    """Return the DuckDB file of this location's marts; dbt/profiles.yml says the same."""
    return home / f"{naming.of_org('analytics')}.duckdb"


def mart_table(home: Path, naming: Naming) -> Table:
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
