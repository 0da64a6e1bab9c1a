"""Run the benchmarks one after the other; write what they print as JSON and as a table in Markdown.

    python benchmarks/bench.py --json build/bench.json --only budget

Each result has its command, the commit, the load of the machine before and the exit status. Exit status 1 where a
benchmark fails or exceeds its bound.
"""

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).parent
BENCHMARKS = (
    "decode_page.py",
    *(f"budget.py --pages 100 --latency {latency}" for latency in (0.5, 0.8, 2, 4)),
    "budget.py --pages 100 --latency 0.8 --rate 8",
    "kills.py --rows 200000 --kills 4",
    "million_rows.py --rows 250000 --columns 71",
    "million_rows.py --rows 1000000 --columns 71 --most-mb 700",
    "million_rows.py --rows 1000000 --columns 40 --most-us 18",
    "lane_schedule.py --pages 100 --rate 8 --clumps 5",
    "commit_cost.py",
    "bulk.py",
    "reconcile.py",
    "idle_run.py",
)
"""The commands, in about half an hour on two quiet cores."""


@dataclass(frozen=True)
class Result:
    """What one benchmark printed, and on which commit and machine."""

    command: str
    commit: str
    machine: str
    load_before: float
    seconds: float
    status: int
    lines: tuple[str, ...]


def main() -> int:
    """Run what is asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="a part of the commands to run, such as budget")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"))
    arguments = parser.parse_args()
    results = [run(command) for command in BENCHMARKS if arguments.only in command]
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps([asdict(result) for result in results], indent=1))
    print(table(results))
    return int(any(result.status for result in results))


def run(command: str) -> Result:
    """Run one benchmark in a process of its own."""
    load, began = os.getloadavg()[0], time.monotonic()
    process = subprocess.run([sys.executable, *shlex.split(str(HERE / command))], capture_output=True, text=True)
    lines = process.stdout.splitlines() if process.stdout else process.stderr.splitlines()[-1:]
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    seconds = round(time.monotonic() - began, 1)
    return Result(command, commit(), machine, round(load, 1), seconds, process.returncode, tuple(lines))


def commit() -> str:
    """Return the commit that is measured, or "unknown" outside a clone."""
    process = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=HERE)
    return process.stdout.strip() or "unknown"


def table(results: Sequence[Result]) -> str:
    """Return the results as a table in Markdown."""
    head = ["| command | load before | figures | commit |", "| --- | --- | --- | --- |"]
    rows = [
        f"| `{result.command}` | {result.load_before} | {'<br>'.join(result.lines)} | `{result.commit}` |"
        for result in results
    ]
    return "\n".join([*head, *rows])


if __name__ == "__main__":
    sys.exit(main())
