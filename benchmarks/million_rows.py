"""Peak memory, CPU and wall time of a Dagster run that reads many rows of one endpoint for the first time, then idles.

    python benchmarks/million_rows.py --rows 1000000 --columns 71 --most-mb 700

The org is `simulator.py` in a process of its own and is not counted. The figures are the run process's own
(`resource.getrusage` of a child): maximum resident set, user + system seconds, start-up included. The exit status is 1
where the peak exceeds `--most-mb` or the first run costs more than `--most-us` microseconds a row beyond the idle run.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

HERE = Path(__file__).parent


def main() -> int:
    """Serve the org, run the endpoint several times, print a line a run, judge the first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=71)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--rate", type=float, default=1000.0)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--most-mb", type=float, default=float("inf"))
    parser.add_argument("--most-us", type=float, default=float("inf"))
    arguments = parser.parse_args()
    org_arguments = [
        f"--rows=Account={arguments.rows}",
        f"--columns={arguments.columns}",
        f"--latency={arguments.latency}",
    ]
    with tempfile.TemporaryDirectory() as folder, simulated_org(org_arguments) as url:
        env = environment(url, Path(folder), rate=arguments.rate)
        figures = [materialize(Path(folder), "salesforce/account", env) for _ in range(arguments.runs)]
    for number, (wall, cpu, peak) in enumerate(figures, start=1):
        print(f"run {number}: wall {wall:.1f} s, CPU {cpu:.1f} s, peak {peak:.0f} MB")
    row_us = (figures[0][1] - figures[-1][1]) / arguments.rows * 1e6 if arguments.runs > 1 else 0.0
    print(f"{row_us:.1f} us of CPU a row beyond the last run")
    return int(max(peak for _, _, peak in figures) > arguments.most_mb or row_us > arguments.most_us)


@contextmanager
def simulated_org(arguments: list[str], *, script: str = "simulator.py") -> Iterator[str]:
    """Serve a simulated org until the block ends; yields its address."""
    command = [sys.executable, str(HERE / script), "--port=0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def environment(url: str, folder: Path, *, rate: float = 1000.0) -> dict[str, str]:
    """Return the environment of a run process against a simulated org, with its home in `folder`."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return {
        **{name: text for name, text in os.environ.items() if not name.startswith(("SF_ASSETS_", "SALESFORCE_"))},
        "DAGSTER_HOME": str(folder),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "PYTHONWARNINGS": "ignore",
        "SF_ASSETS_HOME": str(folder),
        "SF_ASSETS_DEPLOYMENT": "production",
        "SALESFORCE_INSTANCE_URL": url,
        "SALESFORCE_CONSUMER_KEY": "benchmark",
        "SALESFORCE_USERNAME": "benchmark@example.com",
        "SALESFORCE_PRIVATE_KEY": pem,
        "SALESFORCE_REQUESTS_PER_SECOND": str(rate),
    }


def materialize(folder: Path, selection: str, env: Mapping[str, str]) -> tuple[float, float, float]:
    """Run assets in a process of its own; returns its wall seconds, CPU seconds and peak MB."""
    dagster = [sys.executable, "-m", "dagster", "asset", "materialize", "-m", "sf_assets.definitions"]
    start = time.monotonic()
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen([*dagster, "--select", selection], env=dict(env), stdout=log, stderr=log)
        _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit((folder / "log").read_text()[-4000:])
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(main())
