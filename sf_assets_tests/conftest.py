"""Fixtures for all tests."""

import gc
import os
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings

# The same examples in every run, no time limit for one (another process may have the core), no folder .hypothesis.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")

# One thread a process for frames and for Arrow (OMP): with small frames, more threads only wait for each other.
os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

pytest_plugins = ["sf_assets.devorg.fixtures"]


def pytest_collection_finish():
    """Keep the garbage collector off what was imported: without this, it takes a sixth of the suite's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_unconfigure():
    """Give everything back to the collector, or a library reports leaks at the end."""
    gc.unfreeze()


class Clock:
    """A clock that only moves when a test moves it: `clock()` is its time, aware and UTC."""

    def __init__(self, start: datetime) -> None:
        self.time = start

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **duration: float) -> datetime:
        """Move by `hours=2, seconds=1` and return the new time."""
        self.time += timedelta(**duration)
        return self.time


@pytest.fixture
def clock() -> Clock:
    """A clock at noon of a Tuesday."""
    return Clock(datetime(2026, 3, 10, 12, tzinfo=UTC))
