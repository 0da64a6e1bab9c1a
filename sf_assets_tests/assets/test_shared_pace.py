"""Several processes over one ledger, through the deployment that every run has: one pace, used to the full, no waiting
for the dead. benchmarks/shared_pace.py is the same at 2 requests/s with eight processes and whole Dagster runs.
"""

import os
import signal
import subprocess
import sys
import time
from itertools import pairwise

import pytest

from sf_assets.devorg import sample_org, serve
from sf_assets.salesforce.rate_limit.throttle import LATE_SECONDS

RATE, WINDOW_SECONDS = 20.0, 1.0
READER = """
import sys, time
from sf_assets.assets.deployments import read_deployment
from sf_assets.salesforce.wire import Query
client = read_deployment().salesforce.resolved().client()
client.org_id()
until = time.time() + float(sys.argv[1])
while time.time() < until:
    list(client.read(Query("Campaign", "SELECT Id FROM Campaign", all_rows=False)))
"""


@pytest.fixture
def start(tmp_path):
    """Start a process that reads for some seconds as the deployment of the environment does."""
    with serve(sample_org(seed=7, rows={"Campaign": 2})) as org:
        environment = {
            **os.environ,
            "SF_ASSETS_DEPLOYMENT": "production",
            "SF_ASSETS_HOME": str(tmp_path),
            "SALESFORCE_INSTANCE_URL": org.url,
            "SALESFORCE_REQUESTS_PER_SECOND": str(RATE),
            **{f"SALESFORCE_{name.upper()}": value for name, value in org.credentials.items()},
        }
        processes = []

        def start_process(seconds: float) -> subprocess.Popen:
            command = [sys.executable, "-W", "ignore", "-c", READER, str(seconds)]
            processes.append(subprocess.Popen(command, env=environment))
            return processes[-1]

        yield org, start_process
        for process in processes:
            process.kill()
            process.wait()


def arrivals(org) -> list[float]:
    return sorted(request.at.timestamp() for request in org.requests)


def wait_for_all(org, processes: int) -> None:
    """Until each of them has logged in."""
    give_up = time.monotonic() + 60
    while [request.kind for request in org.requests].count("token") < processes and time.monotonic() < give_up:
        time.sleep(0.02)


@pytest.mark.alone
def test_processes_share_one_pace_and_do_not_wait_for_a_killed_one(start):
    org, start_process = start
    readers = [start_process(4.0) for _ in range(3)]
    wait_for_all(org, 3)
    busy_from = time.time()

    time.sleep(1.0)
    readers[0].send_signal(signal.SIGKILL)
    killed_at = time.time()
    time.sleep(2.0)

    moments = arrivals(org)
    fullest = max(sum(start <= moment < start + WINDOW_SECONDS for moment in moments) for start in moments)
    busy = [moment for moment in moments if busy_from <= moment < busy_from + 3.0]
    gaps = [later - earlier for earlier, later in pairwise(moments) if earlier >= killed_at - 0.2]
    assert fullest <= RATE * (WINDOW_SECONDS + LATE_SECONDS) + 1  # a permit is good for a quarter of a second
    assert len(busy) >= 0.75 * RATE * 3.0
    assert max(gaps) < 2.0
