"""What does it cost when nothing has changed? CPU seconds of whole processes, start-up included, children too.

    python benchmarks/idle_run.py [--runs 5]

Thirty endpoints of a practice org are filled once and synced once more; then each line is measured `--runs` times and
its least and middle figure printed. The run process is what a run launcher starts (`dagster api execute_run`). The
yardsticks are of the machine and of Dagster: `import dagster`, no definitions at all, and a run of thirty assets that
do nothing but pass three checks each. Let nothing else run meanwhile: on a busy core all of it costs more.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sf_assets.devorg import Server, sample_org, serve

ROOT = Path(__file__).parents[1]
PLAIN = """
import dagster as dg

def plain(number):
    key = dg.AssetKey(["plain", f"asset_{number}"])
    checks = [dg.AssetCheckSpec(name, asset=key, blocking=name == "a") for name in "abc"]

    @dg.asset(key=key, check_specs=checks)
    def asset():
        yield dg.MaterializeResult()
        yield from (dg.AssetCheckResult(check_name=name, passed=True) for name in "abc")

    return asset

defs = dg.Definitions(assets=[plain(number) for number in range(30)], executor=dg.in_process_executor)
"""
EMPTY = "import dagster as dg\ndefs = dg.Definitions()\n"
CREATE = """
import sys
import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import serialize_value

module, prefix = sys.argv[1:]
repository = ReconstructableRepository.for_module(module, "defs", ".")
job = repository.get_reconstructable_job("__ASSET_JOB")
definition = job.get_definition()
selection = {key for key in definition.asset_layer.executable_asset_keys if key.path[0] == prefix}
with dg.DagsterInstance.get() as instance:
    subset = job.get_subset(asset_selection=selection)
    run = instance.create_run_for_job(
        subset.get_definition(), asset_selection=selection, job_code_origin=subset.get_python_origin()
    )
    print(serialize_value(ExecuteRunArgs(subset.get_python_origin(), run.run_id, instance.get_ref(), True)))
"""
MATERIALIZE = ["-m", "dagster", "asset", "materialize", "-m", "sf_assets.definitions", "--select", 'key:"salesforce/*"']
VALIDATE = ["-m", "dagster", "definitions", "validate", "-m"]


def main() -> None:
    """Fill the tables, then measure line by line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder, serve(sample_org(seed=7)) as org:
        (Path(folder) / "plain.py").write_text(PLAIN)
        (Path(folder) / "empty.py").write_text(EMPTY)
        shutil.copy(ROOT / "dagster.yaml", folder)
        env = environment(org, folder)
        for _ in range(2):
            cpu_seconds(MATERIALIZE, env)
        before = len(org.requests)
        measure("run process, thirty endpoints without news", lambda: run_process("sf_assets.definitions", env), runs)
        print(f"  ({(len(org.requests) - before) // runs} requests each)")
        measure("dagster asset materialize of the same", lambda: cpu_seconds(MATERIALIZE, env), runs)
        measure("yardstick: run process, thirty plain assets", lambda: run_process("plain", env), runs)
        no_home = {name: value for name, value in env.items() if name != "DAGSTER_HOME"}
        measure(
            "dagster definitions validate", lambda: cpu_seconds([*VALIDATE, "sf_assets.definitions"], no_home), runs
        )
        measure("yardstick: the same of no definitions", lambda: cpu_seconds([*VALIDATE, "empty"], no_home), runs)
        measure("yardstick: import dagster", lambda: cpu_seconds(["-c", "import dagster"], env), runs)


def environment(org: Server, folder: str) -> dict[str, str]:
    """The process environment of a deployment against this practice org, in a home of its own."""
    secrets = {f"SALESFORCE_{name.upper()}": value for name, value in org.credentials.items()}
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("SF_ASSETS_", "SALESFORCE_"))},
        **secrets,
        "PYTHONPATH": folder,
        "PYTHONWARNINGS": "ignore",
        "DAGSTER_HOME": folder,
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "SF_ASSETS_HOME": folder,
        "SF_ASSETS_DEPLOYMENT": "production",
        "SALESFORCE_INSTANCE_URL": org.url,
        "SALESFORCE_REQUESTS_PER_SECOND": "1000",
    }


def run_process(module: str, env: Mapping[str, str]) -> float:
    """CPU seconds of the process that executes a run; creating the run is the launcher's work and not counted."""
    create = [sys.executable, "-c", CREATE, module, "plain" if module == "plain" else "salesforce"]
    process = subprocess.run(create, env=env, cwd=ROOT, check=True, capture_output=True, text=True)
    return cpu_seconds(["-m", "dagster", "api", "execute_run", process.stdout.splitlines()[-1]], env)


def cpu_seconds(arguments: Sequence[str], env: Mapping[str, str]) -> float:
    """CPU seconds, user and system, of a Python process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.run(
        [sys.executable, *arguments], env=env, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if process.returncode:
        sys.exit(process.stdout[-2000:] + process.stderr[-2000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def measure(title: str, once: Callable[[], float], runs: int) -> None:
    seconds = [once() for _ in range(runs)]
    print(f"{title:48} {min(seconds):6.2f} {statistics.median(seconds):6.2f} CPU s", flush=True)


if __name__ == "__main__":
    main()
