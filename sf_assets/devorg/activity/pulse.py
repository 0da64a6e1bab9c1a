"""Changes while the org runs: a thread that makes plausible changes at a steady pace."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from threading import Event, Thread

from sf_assets.devorg.activity.rows import ActiveRows
from sf_assets.devorg.activity.simulate import ACTIONS
from sf_assets.devorg.org.org import Org

TRIES = 10


class Pulse:
    """The pace of an org's changes. `per_minute` is their number."""

    def __init__(self, org: Org, *, per_minute: float, seed: int | None = None) -> None:
        self.org = org
        self._seconds = 60 / per_minute
        self._rng = Random(seed)

    def beat(self) -> int:
        """Make one plausible change now and return the number of changed rows.

        Return 0 if no row fits in ten tries.
        """
        at = int(self.org.now().timestamp())
        with self.org.lock:
            rows = ActiveRows(self.org, self._rng)
            changes = (self._rng.choice(ACTIONS)(rows, at) for _ in range(TRIES))
            return next((count for count in changes if count), 0)

    def run(self, wait: Callable[[float], bool]) -> None:
        """Repeat `beat` until `wait`, which gets the seconds of a pause, returns True."""
        while not wait(self._seconds):
            self.beat()


@contextmanager
def beating(org: Org, *, per_minute: float) -> Iterator[None]:
    """Change the org in a thread until the block ends.

    A pace of 0 changes nothing.
    """
    if per_minute <= 0:
        yield
        return
    stop = Event()
    thread = Thread(target=Pulse(org, per_minute=per_minute).run, args=(stop.wait,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
