"""docs/tour.md: its commands do what the page says, one after the other."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from sf_assets.commands.practice import practice_org
from sf_assets.devorg.store.schema import load_objects

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/tour.md").read_text(encoding="utf-8")
SMALL = [part for name in load_objects() for part in ("--rows", f"{name}=4")]
BY_HAND = ("make dev", "source ")
"""Commands that the test replaces: a served org, and its own environment."""


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """The environment of the page's second terminal, with a small practice org."""
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    ours = ("SF_ASSETS_", "SALESFORCE_", "SNOWFLAKE_", "PYICEBERG_", "DAGSTER_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    with practice_org(tmp_path / "practice", options=SMALL) as url:
        yield environment | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "SF_ASSETS_HOME": str(tmp_path),
            "DAGSTER_HOME": str(tmp_path),
            "SALESFORCE_INSTANCE_URL": url,
        }


def test_every_command_of_the_tour_works(shell, tmp_path):
    commands = [line for line in re.findall(r"^    (.+)$", PAGE, re.MULTILINE) if not line.startswith(BY_HAND)]
    assert len(commands) >= 15
    outputs = []
    for command in commands:
        if command == "sf-assets tables" and not outputs:
            continue  # the page's first tables come from Dagit
        result = subprocess.run(
            ["bash", "-c", command], env=shell, cwd=tmp_path, capture_output=True, text=True, timeout=300
        )
        assert result.returncode == 0, f"{command}\n{result.stdout[-2000:]}\n{result.stderr[-2000:]}"
        outputs.append((command, result.stdout + result.stderr))

    tables = [output for command, output in outputs if command == "sf-assets tables"]
    assert re.search(r"account +5 ", tables[0]), tables[0]
    assert "running for too long" in tables[1]
    hidden = next(
        output for before, (_, output) in zip(outputs, outputs[1:], strict=False) if "--hide-column" in before[0]
    )
    assert "Phone" in hidden
