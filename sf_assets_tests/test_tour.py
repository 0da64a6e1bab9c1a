"""docs/tour.md: its commands do what the page says, one after the other."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sf_assets.commands.practice import practice_org
from sf_assets.devorg.store.schema import load_objects

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/tour.md").read_text(encoding="utf-8")
SMALL = [part for name in load_objects() for part in ("--rows", f"{name}=4")]
BLOCK = re.compile(r"(?:^    .*\n)+", re.MULTILINE)
LATEST_CHECK = """
import dagster as dg
key = dg.AssetCheckKey(dg.AssetKey(["salesforce", "account"]), "as_specified")
with dg.DagsterInstance.get() as instance:
    [record] = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
check = record.event.dagster_event.asset_check_evaluation_data
print("green:" if check.passed else "orange:" if check.severity.value == "WARN" else "red:", check.description)
"""
"""Print the result of `as_specified` that Dagit shows; the terminal does not show it."""
Run = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Run a block of the page as its second terminal does, with a small practice org."""
    home = tmp_path / ".sf_assets"
    ours = ("SF_ASSETS_", "SALESFORCE_", "SNOWFLAKE_", "PYICEBERG_", "DAGSTER_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])
    home.mkdir()
    shutil.copy(ROOT / "dagster.yaml", home)
    with practice_org(home / "practice", options=SMALL) as url:
        variables = {"SF_ASSETS_HOME": str(home), "DAGSTER_HOME": str(home), "SALESFORCE_INSTANCE_URL": url}

        def invoke(script: str) -> "subprocess.CompletedProcess[str]":
            command = ["bash", "-c", textwrap.dedent(script)]
            shell = environment | variables
            return subprocess.run(command, env=shell, cwd=tmp_path, capture_output=True, text=True, timeout=600)

        yield invoke


def materialize(run: Run, endpoint: str) -> "subprocess.CompletedProcess[str]":
    """Materialize an endpoint, as the page does in Dagit."""
    return run(f".venv/bin/dagster asset materialize -m sf_assets.definitions --select salesforce/{endpoint}")


@pytest.mark.heavy
def test_the_commands_of_the_tour_do_what_it_says(run):
    blocks = [block for block in BLOCK.findall(PAGE) if "make dev" not in block]
    assert len(blocks) >= 9
    logs, is_spent = {}, False
    for block in blocks:
        result = run(block)
        assert result.returncode == 0, f"{block}\n{result.stdout[-2000:]}\n{result.stderr[-2000:]}"
        logs[block.strip()] = result.stdout
        if "Acme Ltd" in block and "practice" in block and "python" not in block:
            assert materialize(run, "account").returncode == 0
        if "--hide-column" in block:
            assert materialize(run, "account").returncode == 0
            result = run(f".venv/bin/python -c '{LATEST_CHECK}'")
            assert result.stdout.startswith("orange: Hidden from the integration user, or deleted: Phone."), result
        if "--fault" in block:
            failure = materialize(run, "account")
            assert failure.returncode != 0
            assert "TotalRequests Limit exceeded" in failure.stderr + failure.stdout
            is_spent = True
        if is_spent and block.strip().endswith("practice fix"):
            assert materialize(run, "account").returncode == 0
            is_spent = False

    assert "Acme Ltd" in next(log for block, log in logs.items() if "scan_iceberg" in block)
