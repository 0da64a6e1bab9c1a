"""Fixtures of the Dagster floor's tests."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance in memory."""
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as ephemeral:
        yield ephemeral
