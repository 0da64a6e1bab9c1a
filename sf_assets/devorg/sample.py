"""The sample org: the thirty objects with made-up rows. The org itself knows nothing about them."""

from collections.abc import Mapping
from datetime import datetime

from sf_assets.devorg.org.org import Org
from sf_assets.devorg.org.settings import Behaviour
from sf_assets.devorg.seed.all_objects import seed_rows
from sf_assets.devorg.store.schema import load_objects
from sf_assets.devorg.store.timestamps import Clock, wall_clock

SEED = 7


def sample_org(
    *,
    seed: int = SEED,
    rows: Mapping[str, int] | None = None,
    clock: Clock = wall_clock,
    base: datetime | None = None,
    behaviour: Behaviour | None = None,
) -> Org:
    """Return an org with sample data; the same seed gives the same rows.

    `rows` is the number of rows by object, where it differs from the default. `base` is the moment at which the data
    ends (default: the clock's time).
    """
    data = seed_rows(seed, base or clock(), rows or {})
    return Org(objects=load_objects(), data=data, seed=seed, clock=clock, behaviour=behaviour)
