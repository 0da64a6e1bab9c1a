"""How many requests were sent: by a client in all, and within a block of code, by this thread alone."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Traffic:
    """Requests, those of them that repeated one, the seconds that they waited for permits and were under way."""

    calls: int = 0
    repeated_calls: int = 0
    waited_seconds: float = 0.0
    sending_seconds: float = 0.0

    def add(self, calls: int, repeated_calls: int, waited_seconds: float, sending_seconds: float) -> None:
        """Add the figures of one request."""
        self.calls += calls
        self.repeated_calls += repeated_calls
        self.waited_seconds += waited_seconds
        self.sending_seconds += sending_seconds


class TrafficCounter:
    """Counts for all threads, and for each block that is being counted in the thread that sends."""

    def __init__(self) -> None:
        self.total = Traffic()
        self._lock = threading.Lock()
        self._blocks = threading.local()

    def add(
        self, *, calls: int = 0, repeated_calls: int = 0, waited_seconds: float = 0.0, sending_seconds: float = 0.0
    ) -> None:
        """Count in the total and in every block of this thread."""
        with self._lock:
            self.total.add(calls, repeated_calls, waited_seconds, sending_seconds)
        for block in getattr(self._blocks, "open", ()):
            block.add(calls, repeated_calls, waited_seconds, sending_seconds)

    @contextmanager
    def counting(self) -> Iterator[Traffic]:
        """Count what this thread sends within the block."""
        block = Traffic()
        opened: list[Traffic] = self._blocks.__dict__.setdefault("open", [])
        opened.append(block)
        try:
            yield block
        finally:
            opened[:] = [other for other in opened if other is not block]
