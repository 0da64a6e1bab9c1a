"""The share of the request rate that a first copy of one object uses, from its third page on.

    python benchmarks/budget.py --pages 400 --latency 0.8 --rate 2 --least 0.95

Narrow rows, so that the wire and not this machine is measured. Exit status 1 where the pages use less than `--least`.
"""

import argparse
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

from kills import page_requests
from million_rows import environment, materialize, simulated_org


def main() -> int:
    """Copy once and judge the org's log."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=400)
    parser.add_argument("--latency", type=float, default=0.8)
    parser.add_argument("--rate", type=float, default=2.0)
    parser.add_argument("--clumps", type=int, default=1)
    parser.add_argument("--least", type=float, default=0.0)
    arguments = parser.parse_args()
    rows = arguments.pages * 2_000 - 700  # as in most objects, the last page is not full
    org_arguments = [f"--rows=Account={rows}", "--columns=10", f"--latency={arguments.latency}"]
    org = simulated_org([*org_arguments, f"--clumps={arguments.clumps}"])
    with tempfile.TemporaryDirectory() as folder, org as url:
        materialize(Path(folder), "salesforce/account", environment(url, Path(folder), rate=arguments.rate))
        requests = sorted(page_requests(url))
    moments = [moment for moment, *_ in requests]
    rate = rate_from_third(moments)
    pages_rate = rate_from_third([moment for moment, _, path in requests if "ORDER+BY+Id" in path])
    rows_per_second = rows / (moments[-1] - moments[0] + arguments.latency)
    print(
        f"{len(moments)} requests for {arguments.pages} pages; {rate:.3f} of {arguments.rate}/s"
        f" ({rate / arguments.rate:.1%};"
        f" {pages_rate / arguments.rate:.1%} without the tail, which waits for the last page);"
        f" {rows_per_second:,.0f} rows/s;"
        f" fullest second: {fullest_second(moments)} requests"
    )
    return int(pages_rate / arguments.rate < arguments.least)


def rate_from_third(moments: Sequence[float]) -> float:
    """Return the requests a second from the third one on."""
    return (len(moments) - 3) / (moments[-1] - moments[2])


def fullest_second(moments: Sequence[float]) -> int:
    """Return the most requests that arrived within a second of the org's clock."""
    return max(bisect_left(moments, moment + 1.0) - i for i, moment in enumerate(moments))


if __name__ == "__main__":
    sys.exit(main())
