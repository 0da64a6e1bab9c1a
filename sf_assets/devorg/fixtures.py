"""pytest fixtures: `pytest_plugins = ["sf_assets.devorg.fixtures"]` gives each test its own practice org."""

from collections.abc import Iterator

import pytest

from sf_assets.devorg.api.server import Server, serve
from sf_assets.devorg.org.org import Org
from sf_assets.devorg.sample import sample_org

SMALL = {"Account": 40, "Contact": 60, "Lead": 30, "Opportunity": 40, "Case": 30, "Task": 60, "Event": 20, "User": 8}


@pytest.fixture(scope="session")
def practice_seed() -> Org:
    """Return the org that `practice_org` copies. It is made once a session and never changed.

    Override it for other data.
    """
    return sample_org(seed=7, rows=SMALL)


@pytest.fixture
def practice_org(practice_seed: Org) -> Iterator[Server]:
    """Serve a practice org for one test; the org itself is `practice_org.org`."""
    with serve(practice_seed.copy()) as server:
        yield server
