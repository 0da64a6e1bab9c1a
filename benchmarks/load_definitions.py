"""What one YAML file costs next to the environment: CPU seconds until thirty assets are loaded.

    python benchmarks/load_definitions.py [TIMES]

Each line is a process of its own; the least and the middle of several are printed. Dagster itself imports all packages
with components when it loads a `dg` project, so an empty project is measured too.
"""

import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

DAGSTER = "import dagster"
ENVIRONMENT = "from sf_assets.definitions import defs\ndefs.get_repository_def()"
YAML = """
from pathlib import Path
from dagster import load_from_defs_folder
load_from_defs_folder(path_within_project=Path({folder!r})).get_repository_def()
"""


def cpu(program: str, env: dict[str, str]) -> float:
    """Return the CPU seconds of a Python process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], env=env, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def project(folder: Path, *, has_org: bool) -> Path:
    """Write a project, empty or with one org; return its package."""
    package = folder / "src" / folder.name
    (package / "defs/crm").mkdir(parents=True)
    for name in ("__init__.py", "defs/__init__.py", "definitions.py"):
        (package / name).touch()
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "{folder.name}"\nversion = "0"\n[tool.dg]\ndirectory_type = "project"\n'
        f'[tool.dg.project]\nroot_module = "{folder.name}"\n'
    )
    text = "type: sf_assets.SalesforceOrg\nattributes:\n  requests_per_second: 2\n"
    if has_org:
        (package / "defs/crm/defs.yaml").write_text(text)
    return package


def main(times: int) -> None:
    """Measure both ways in turn, so that other work on the machine concerns both."""
    with TemporaryDirectory() as home:
        empty, org = (project(Path(home) / name, has_org=name == "org") for name in ("empty", "org"))
        env = {**os.environ, "SF_ASSETS_HOME": home, "PYTHONPATH": f"{empty.parent}:{org.parent}"}
        ways = {
            "import dagster": DAGSTER,
            "environment": ENVIRONMENT,
            "an empty dg project": YAML.format(folder=str(empty)),
            "a dg project with one YAML file": YAML.format(folder=str(org)),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(times):
            for name, program in ways.items():
                seconds[name].append(cpu(program, env))
    for name, each in seconds.items():
        sys.stdout.write(f"{name}: least {min(each):.2f}, middle {statistics.median(each):.2f} CPU s\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 5)
