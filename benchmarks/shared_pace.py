"""Eight processes, three runs each, one org, one ledger: do they keep one pace together, use it, and outlive a kill?

    python benchmarks/shared_pace.py --processes 8 --runs 3 --rate 2

Each process runs full refreshes of some endpoints through Dagster into a lake of its own; they share the ledger alone.
One of them is killed (SIGKILL) on the way. The org's request log is judged: no window of ten seconds holds more than
10 x rate + 1 requests, 95 % of the allowed ones are used while there is work, and nobody waits for the dead.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from sf_assets.devorg import Server, sample_org, serve

ENDPOINTS = ("account", "contact", "lead", "product")
ROWS, PAGE_ROWS = {"Account": 300, "Contact": 200, "Lead": 100}, 100
"""Short pages: the log says when an answer left, so that the org's own work on it must be short."""
WINDOW_SECONDS = 10.0
RUN = """
import os, sys
import dagster as dg
from sf_assets.definitions import defs
job = defs.resolve_implicit_global_asset_job_def()
names = sys.argv[2].split(",")
config = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
config["ops"] = {f"salesforce__{name}": {"config": {"full_refresh": True}} for name in names}
keys = [dg.AssetKey(["salesforce", name]) for name in names]
with dg.DagsterInstance.ephemeral() as instance:
    for _ in range(int(sys.argv[1])):
        result = job.execute_in_process(instance=instance, asset_selection=keys, run_config=config)
        print("run", result.success, flush=True)
"""


def main() -> int:
    """Serve the org, start the processes, kill one, judge the log; exit status 1 when a rule is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rate", type=float, default=2.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serve(sample_org(seed=7, rows=ROWS)) as org:
        org.org.behave(page_rows=PAGE_ROWS)
        processes = [_start(org, Path(folder), number, arguments) for number in range(arguments.processes)]
        _wait_for_all(org, len(processes))
        busy_from = _arrivals(org)[-1]
        time.sleep(10)
        killed_at = _arrivals(org)[-1]
        processes[0].send_signal(signal.SIGKILL)
        first_end = _first_end(org, processes[1:])
        exit_codes = [process.wait() for process in processes[1:]]
        return _judge(
            _arrivals(org), busy_from, first_end, killed_at=killed_at, rate=arguments.rate, exit_codes=exit_codes
        )


def _start(org: Server, folder: Path, number: int, arguments: argparse.Namespace) -> "subprocess.Popen[str]":
    secrets = {f"SALESFORCE_{name.upper()}": value for name, value in org.credentials.items()}
    environment = {
        **os.environ,
        **secrets,
        "SF_ASSETS_DEPLOYMENT": "production",
        "SF_ASSETS_HOME": str(folder / str(number)),
        "SF_ASSETS_LEDGER": f"sqlite:///{folder}/ledger.db",
        "SALESFORCE_INSTANCE_URL": org.url,
        "SALESFORCE_REQUESTS_PER_SECOND": str(arguments.rate),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    command = [sys.executable, "-W", "ignore", "-c", RUN, str(arguments.runs), ",".join(ENDPOINTS)]
    log = (folder / f"{number}.log").open("w")
    return subprocess.Popen(command, env=environment, stdout=log, stderr=log, text=True)


def _arrivals(org: Server) -> list[float]:
    """When each request arrived, seconds since 1970."""
    return sorted(request.at.timestamp() for request in org.requests)


def _wait_for_all(org: Server, processes: int) -> None:
    """Return when each process has logged in: from then on there is always work."""
    while [request.kind for request in org.requests].count("token") < processes:
        time.sleep(0.2)


def _first_end(org: Server, processes: "Sequence[subprocess.Popen[str]]") -> float:
    while all(process.poll() is None for process in processes):
        time.sleep(0.05)
    return _arrivals(org)[-1]


def _judge(
    moments: list[float], busy_from: float, first_end: float, *, killed_at: float, rate: float, exit_codes: list[int]
) -> int:
    fullest = max(sum(start <= moment < start + WINDOW_SECONDS for moment in moments) for start in moments)
    busy = [moment for moment in moments if busy_from <= moment <= first_end]
    share = (len(busy) - 1) / ((first_end - busy_from) * rate)
    after = [later - earlier for earlier, later in pairwise(moments) if killed_at <= earlier <= killed_at + 10]
    allowed, busy_seconds = WINDOW_SECONDS * rate + 1, first_end - busy_from
    sys.stdout.write(
        f"{len(moments)} requests in {moments[-1] - moments[0]:.0f} s; fullest {WINDOW_SECONDS:.0f} s window: {fullest}"
        f" (at most {allowed:.0f}); used while all worked ({busy_seconds:.0f} s): {share:.1%};"
        f" longest gap in the 10 s after a kill -9: {max(after):.2f} s;"
        f" runs that failed: {sum(map(bool, exit_codes))}\n"
    )
    return int(fullest > allowed or share < 0.95 or max(after) > 2.0 or any(exit_codes))


if __name__ == "__main__":
    sys.exit(main())
