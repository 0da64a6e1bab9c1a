"""What one YAML file costs next to the environment: CPU seconds until thirty assets are loaded.

    python benchmarks/load_definitions.py [TIMES]

Each line is a process of its own; the least and the middle of several are printed. Dagster itself imports all packages
with components when it loads a `dg` project, and makes the schemas of all components at the first YAML file. So an
empty project and one with a component of Dagster's own are measured too.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

REPORT = """
import resource
usage = resource.getrusage(resource.RUSAGE_SELF)
print(usage.ru_utime + usage.ru_stime)
"""
DAGSTER = "import dagster"
ENVIRONMENT = "from sf_assets.definitions import defs\ndefs.get_repository_def()"
YAML = """
from pathlib import Path
from dagster import load_from_defs_folder
load_from_defs_folder(path_within_project=Path({folder!r})).get_repository_def()
"""


def cpu(program: str, env: dict[str, str]) -> float:
    """Return the CPU seconds of a Python process until its program has ended; its exit does not count."""
    command = [sys.executable, "-c", f"{program}\n{REPORT}"]
    process = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    return float(process.stdout.split()[-1])


ORG = "type: sf_assets.SalesforceOrg\nattributes:\n  requests_per_second: 2\n"
OTHER = """type: dagster.PythonScriptComponent
attributes:
  execution: {path: script.py}
  assets: [{key: script}]
"""


def project(folder: Path, *, text: str) -> Path:
    """Write a project, empty or with the text of one component; return its package."""
    package = folder / "src" / folder.name
    (package / "defs/crm").mkdir(parents=True)
    for name in ("__init__.py", "defs/__init__.py", "definitions.py"):
        (package / name).touch()
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "{folder.name}"\nversion = "0"\n[tool.dg]\ndirectory_type = "project"\n'
        f'[tool.dg.project]\nroot_module = "{folder.name}"\n'
    )
    if text:
        (package / "defs/crm/defs.yaml").write_text(text)
    return package


def main(times: int) -> None:
    """Measure both ways in turn, so that other work on the machine concerns both."""
    with TemporaryDirectory() as home:
        texts = {"empty": "", "other": OTHER, "org": ORG}
        empty, other, org = (project(Path(home) / name, text=text) for name, text in texts.items())
        env = {**os.environ, "SF_ASSETS_HOME": home, "PYTHONPATH": f"{empty.parent}:{other.parent}:{org.parent}"}
        ways = {
            "import dagster": DAGSTER,
            "environment": ENVIRONMENT,
            "an empty dg project": YAML.format(folder=str(empty)),
            "a dg project with one YAML file of Dagster's own": YAML.format(folder=str(other)),
            "a dg project with one YAML file of ours": YAML.format(folder=str(org)),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(times):
            for name, program in ways.items():
                seconds[name].append(cpu(program, env))
    for name, each in seconds.items():
        sys.stdout.write(f"{name}: least {min(each):.2f}, middle {statistics.median(each):.2f} CPU s\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 5)
