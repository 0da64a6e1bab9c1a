"""Peak memory, CPU and wall time of a Dagster run that reads many rows of one endpoint for the first time, then idles.

    python benchmarks/million_rows.py --rows 1000000 --endpoint account

The practice org runs in a process of its own and is not counted. The figures are the run process's own
(`resource.getrusage` of a child): maximum resident set, user + system seconds, start-up included.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

URL = "http://127.0.0.1:8631"


def main() -> None:
    """Serve the org, run the endpoint twice, print a line a run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--endpoint", default="account")
    parser.add_argument("--runs", type=int, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, practice_org(Path(folder), asked):
        for number in range(1, asked.runs + 1):
            tell(number, materialize(Path(folder), asked.endpoint))


@contextmanager
def practice_org(folder: Path, asked: argparse.Namespace) -> Iterator[None]:
    """Serve an org with so many rows of the endpoint's object until the block ends."""
    rows = f"{asked.endpoint}={asked.rows}"
    home = str(folder / "practice")
    command = [sys.executable, "-m", "sf_assets.devorg", "--port", "8631", "--rows", rows, "--home", home]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            wait_until_served(server)
            yield
        finally:
            server.terminate()


def wait_until_served(server: "subprocess.Popen[bytes]") -> None:
    """Return when the org answers; making a million rows takes it a minute."""
    while server.poll() is None:
        try:
            urllib.request.urlopen(f"{URL}/services/data/", timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.5)
        else:
            return
    sys.exit("the practice org ended before it was served")


def materialize(folder: Path, endpoint: str) -> tuple[float, float, float]:
    """Run the endpoint's asset in a process of its own; returns its wall seconds, CPU seconds and peak MB."""
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(folder),
        "SF_ASSETS_HOME": str(folder),
        "SALESFORCE_INSTANCE_URL": URL,
        "SALESFORCE_REQUESTS_PER_SECOND": "1000",
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    dagster = [sys.executable, "-m", "dagster"]
    command = [*dagster, "asset", "materialize", "-m", "sf_assets.definitions", "--select", f"salesforce/{endpoint}"]
    begun = time.monotonic()
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit((folder / "log").read_text()[-4000:])
    return time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def tell(number: int, figures: tuple[float, float, float]) -> None:
    """Print one run's figures."""
    wall, cpu, peak = figures
    sys.stdout.write(f"run {number}: wall {wall:.1f} s, CPU {cpu:.1f} s, peak {peak:.0f} MB\n")
    sys.stdout.flush()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
