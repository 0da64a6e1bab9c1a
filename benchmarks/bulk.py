"""A first copy by a Bulk query job and one by REST: calls, CPU a row, peak memory and wall time of the run process.

    python benchmarks/bulk.py --rows 1000000 --columns 71

The org is `bulk_simulator.py` in a process of its own and is not counted; its jobs are complete at once. An idle run
follows each first copy, and its CPU is subtracted from that of a row. The exit status is 1 where the Bulk run exceeds
`--most-calls` or `--most-mb`.
"""

import argparse
import json
import resource
import sys
import tempfile
import urllib.request
from pathlib import Path

from million_rows import environment, materialize, simulated_org


def main() -> int:
    """Run both ways, print a line each, judge the Bulk run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=71)
    parser.add_argument("--page-rows", type=int, default=50_000)
    parser.add_argument("--modes", nargs="+", default=["always", "never"])
    parser.add_argument("--most-calls", type=int, default=60)
    parser.add_argument("--most-mb", type=float, default=700.0)
    arguments = parser.parse_args()
    org_arguments = [
        f"--rows=Account={arguments.rows}",
        f"--columns={arguments.columns}",
        f"--page-rows={arguments.page_rows}",
    ]
    figures = {mode: measure(org_arguments, mode, rows=arguments.rows) for mode in arguments.modes}
    calls, peak = figures.get("always", (0, 0.0))
    return int(calls > arguments.most_calls or peak > arguments.most_mb)


def measure(arguments: list[str], mode: str, *, rows: int) -> tuple[int, float]:
    """Copy the object in one mode; return the calls and the peak MB."""
    with tempfile.TemporaryDirectory() as folder, simulated_org(arguments, script="bulk_simulator.py") as url:
        env = {**environment(url, Path(folder)), "SF_ASSETS_BULK": mode}
        wall, cpu, peak = materialize(Path(folder), "salesforce/account", env)
        with urllib.request.urlopen(f"{url}/log") as answer:
            calls = len(json.load(answer))
        _, idle_cpu, _ = materialize(Path(folder), "salesforce/account", env)
    row_us = (cpu - idle_cpu) / rows * 1e6
    way = "Bulk" if mode == "always" else "REST"
    print(f"{way}: {calls} calls, {row_us:.1f} us of CPU a row, peak {peak:.0f} MB, wall {wall:.1f} s", flush=True)
    return calls, peak


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(main())
