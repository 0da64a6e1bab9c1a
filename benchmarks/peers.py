"""CPU of a first copy by sf_assets and by other tools, in one run against the same simulated org.

    python benchmarks/peers.py --rows 200000 [--only dlt] [--json build/peers.json]

Each tool has an environment of its own below `--environments`, made from PyPI at the first run (1.5 GB for all). A
tool's figure leaves out its imports; ours is a whole Dagster run less a run without news. Nothing else may run
meanwhile. The logins of other tools are replaced by a token, since none of them logs in at a loopback address.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from million_rows import environment, materialize, simulated_org
from simulator import SimulatedObject

HERE = Path(__file__).parent
DRIVERS = HERE / "peer_drivers"


@dataclass(frozen=True)
class Peer:
    """A tool: its packages, the driver that runs it, and what its copy loses."""

    name: str
    packages: tuple[str, ...]
    driver: str
    loses: str
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """The name of the environment; tools of the same driver share it."""
        return Path(self.driver).stem


DLT = ("dlt[parquet]==1.31.0", "pyiceberg[sql-sqlite,pyarrow]==0.11.1")
PEERS = (
    Peer(
        "simple-salesforce, a Polars frame, Parquet", ("simple-salesforce==1.12.10", "polars==2.1.0"),
        "simple_salesforce_polars.py", "dates and datetimes are text, money is a double; deleted rows are not seen",
    ),
    Peer(
        "dlt to Parquet files", DLT, "dlt_pipeline.py",
        "money is a double, dates are text; deleted rows are not seen", {"PEER_FORMAT": "parquet"},
    ),
    Peer(
        "dlt to a local Iceberg table", DLT, "dlt_pipeline.py",
        "money is a double, dates are text; deleted rows are not seen", {"PEER_FORMAT": "iceberg"},
    ),
    Peer(
        "tap-salesforce, RECORD lines", ("tap-salesforce==2.8.1",), "tap_salesforce_records.py",
        "lines of JSON, no table: a target has to type and store them",
    ),
    Peer(
        "airbyte-source-salesforce, RECORD lines", ("airbyte-source-salesforce==2.10.3",),
        "airbyte_records.py", "lines of JSON, no table: a destination has to type and store them",
    ),
)  # fmt: skip


def main() -> None:
    """Run sf_assets, then each tool; print a table of the least figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--columns", type=int, default=40)
    parser.add_argument("--only", default="", help="a part of the names of the tools to run")
    parser.add_argument("--environments", type=Path, default=HERE.parent / ".peers")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    columns = [name for name, _ in SimulatedObject("Account", 1, arguments.columns, "001").fields]
    size = [f"--rows=Account={arguments.rows}", f"--columns={arguments.columns}"]
    with simulated_org(size) as url:
        ours = measure_ours(url, arguments.rows)
        figures = [ours, *(
            measure(peer, url, columns, arguments.environments) for peer in PEERS if arguments.only in peer.name
        )]  # fmt: skip
    for figure in figures:
        print(f"{figure['name']:45} {figure['us']:7.1f} us a row {figure['us'] / ours['us']:5.1f} x "
              f"{figure['peak_mb']:6.0f} MB  {figure['loses']}")  # fmt: skip
    if arguments.json:
        arguments.json.parent.mkdir(exist_ok=True)
        arguments.json.write_text(json.dumps(figures, indent=1))


def measure_ours(url: str, rows: int) -> dict[str, object]:
    """Return the figure of a whole run of ours, less a run without news."""
    with tempfile.TemporaryDirectory() as folder:
        env = environment(url, Path(folder))
        (_, first, peak), (_, idle, _) = (materialize(Path(folder), "salesforce/account", env) for _ in range(2))
    name = "sf_assets, a Dagster run to an Iceberg table"
    return {"name": name, "us": (first - idle) / rows * 1e6, "peak_mb": peak, "loses": "nothing", "rows": rows}


def measure(peer: Peer, url: str, columns: list[str], environments: Path) -> dict[str, object]:
    """Return the figure of one tool in its environment."""
    python = install(peer, environments)
    with tempfile.TemporaryDirectory() as folder:
        command = [python, DRIVERS / peer.driver, url, ",".join(columns), folder]
        env = {**os.environ, **peer.settings, "DLT_TELEMETRY": "0", "RUNTIME__DLTHUB_TELEMETRY": "false"}
        process = subprocess.run(command, env=env, cwd=folder, check=False, capture_output=True, text=True)
    if process.returncode:
        sys.exit(f"{peer.name} failed:\n{process.stderr[-3000:]}")
    result = json.loads(process.stdout.splitlines()[-1])
    return {"name": peer.name, "us": result["cpu"] / result["rows"] * 1e6, "loses": peer.loses, **result}


def install(peer: Peer, environments: Path) -> Path:
    """Make the tool's environment if it is missing; return its Python."""
    folder = environments / peer.folder
    python = folder / "bin" / "python"
    if not (folder / ".installed").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *peer.packages], check=True)
        (folder / ".installed").touch()
    return python


if __name__ == "__main__":
    main()
