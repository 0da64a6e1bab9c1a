"""How busy this process is."""

import time

SAMPLE_SECONDS = 3.0


class ProcessLoad:
    """The share of a core that this process has used in the last seconds."""

    def __init__(self) -> None:
        self.share = 0.0
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def sample(self) -> None:
        """Measure if the last measurement is old enough. The first one counts imports and is not used."""
        wall, cpu = time.monotonic(), time.process_time()
        if wall - self._wall >= SAMPLE_SECONDS:
            self.share = (self.share + (cpu - self._cpu) / (wall - self._wall)) / 2
            self._wall, self._cpu = wall, cpu
