"""The org that histories are played on: made once, copied for each."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sf_assets.devorg.api.server import serve
from sf_assets.devorg.org.org import Org
from sf_assets.devorg.sample import sample_org
from sf_assets_tests.sync.histories.lake import TINY, Lake


@pytest.fixture(scope="session")
def seed() -> Org:
    """An org of a few hundred rows, made once."""
    return sample_org(seed=7, rows=TINY, base=datetime(2026, 3, 10, 12, tzinfo=UTC))


@pytest.fixture
def lake(seed: Org, tmp_path: Path, clock: Any) -> Iterator[Lake]:
    org = seed.copy(clock=clock)
    with serve(org) as server:
        lake = Lake(org, server=server, folder=tmp_path, clock=clock)
        yield lake
        lake.client.close()
