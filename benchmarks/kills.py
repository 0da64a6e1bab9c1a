"""Kill a first copy (SIGKILL) at ten moments, resume it, and compare table and org; count the rows read twice.

    python benchmarks/kills.py --rows 200000 --latency 0.8 --rate 8

Exit status 1 where a table is not equal to the org afterwards.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from million_rows import environment, materialize, simulated_org

COUNT = """
import sys
from pathlib import Path
from pyiceberg.catalog import load_catalog
folder = next(Path(sys.argv[1]).rglob("catalog.db")).parent
catalog = load_catalog("salesforce", type="sql", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/tables")
table = catalog.load_table("salesforce.account")
ids = table.scan(selected_fields=("id",)).to_arrow()["id"]
print(len(ids), len(ids.unique()))
"""


def main() -> int:
    """Kill and resume; print a line a moment."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--columns", type=int, default=12)
    parser.add_argument("--latency", type=float, default=0.8)
    parser.add_argument("--rate", type=float, default=8.0)
    parser.add_argument("--clumps", type=int, default=1)
    parser.add_argument("--kills", type=int, default=10)
    arguments = parser.parse_args()
    org_arguments = [
        f"--rows=Account={arguments.rows}",
        f"--columns={arguments.columns}",
        f"--latency={arguments.latency}",
    ]
    wrong = 0
    for number in range(1, arguments.kills + 1):
        pages = arguments.rows // 2_000 * number // (arguments.kills + 1) + 1
        org = simulated_org([*org_arguments, f"--clumps={arguments.clumps}"])
        with tempfile.TemporaryDirectory() as folder, org as url:
            env = environment(url, Path(folder), rate=arguments.rate)
            kill_after(pages, Path(folder), url, env)
            before = len(page_requests(url))
            materialize(Path(folder), "salesforce/account", env)
            rows, different = count_rows(Path(folder))
            again = len(page_requests(url)) - arguments.rows // 2_000
        wrong += (rows, different) != (arguments.rows, arguments.rows)
        print(
            f"killed after {before} pages: {rows} rows, {different} Ids of {arguments.rows}; {again} pages more",
            flush=True,
        )
    return int(wrong > 0)


def kill_after(pages: int, folder: Path, url: str, env: Mapping[str, str]) -> None:
    """Start a run and kill it once the org has served so many pages."""
    dagster = [sys.executable, "-m", "dagster", "asset", "materialize", "-m", "sf_assets.definitions"]
    with (folder / "killed.log").open("wb") as log:
        run = subprocess.Popen([*dagster, "--select", "salesforce/account"], env=dict(env), stdout=log, stderr=log)
        while run.poll() is None and len(page_requests(url)) < pages:
            time.sleep(0.1)
        run.kill()
        run.wait()


def page_requests(url: str) -> list[Any]:
    """Return the requests for rows so far."""
    with urllib.request.urlopen(f"{url}/log") as answer:
        return [entry for entry in json.load(answer) if "query" in entry[2] and "COUNT" not in entry[2]]


def count_rows(folder: Path) -> tuple[int, int]:
    """Return the table's rows and its different Ids."""
    process = subprocess.run(
        [sys.executable, "-c", COUNT, str(folder)], capture_output=True, text=True, check=True, cwd=folder
    )
    rows, different = process.stdout.split()
    return int(rows), int(different)


if __name__ == "__main__":
    sys.exit(main())
