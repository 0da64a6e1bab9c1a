"""Calls and use of the rate by the lanes alone: their real code against an object without HTTP, decoding or tables.

    python benchmarks/lane_schedule.py --pages 400 --rate 2 --latency 0.8 --clumps 1

Time runs `--faster` times as fast: both the pause between requests and the latency are divided by it.
"""

import argparse
import threading
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import polars as pl
from simulator import PAGE_ROWS, id_of

from sf_assets.sync.lanes import LaneReader
from sf_assets.sync.limits import LaneLimits
from sf_assets.sync.reader import Rows


class PacedClient:
    """Gives each request its slot, and counts the seconds of sending for each thread."""

    def __init__(self, rate: float) -> None:
        self._rate, self._next_slot, self._lock = rate, 0.0, threading.Lock()
        self.traffic = threading.local()
        self.sent_at: list[float] = []

    def requests_per_second(self) -> float:
        """Return the rate."""
        return self._rate

    @contextmanager
    def counting(self) -> Iterator[Any]:
        """Count within a block."""
        self.traffic.counter = SimpleNamespace(sending_seconds=0.0)
        yield self.traffic.counter

    def wait_for_slot(self) -> None:
        """Sleep until the next slot."""
        with self._lock:
            slot = max(time.monotonic(), self._next_slot)
            self._next_slot = slot + 1 / self._rate
        time.sleep(max(0.0, slot - time.monotonic()))
        self.sent_at.append(time.monotonic())


class PacedReader:
    """An object whose pages take as long as asked; what `LaneReader` needs of a reader."""

    def __init__(self, ids: Sequence[str], *, rate: float, latency: float) -> None:
        self.client, self._ids, self._latency = PacedClient(rate), ids, latency
        self.lanes, self.report = LaneLimits(), SimpleNamespace(note=print)
        self.page_rows: list[int] = []

    def watch(self, report: object) -> None:
        """Report no progress."""

    def pages(self, *, where: Sequence[str], limit: int, **_: object) -> Iterator[Rows]:
        """Answer one query."""
        first, last = 0, len(self._ids)
        for condition in where:
            place = bisect_right(self._ids, condition.split("'")[1])
            first, last = (max(first, place), last) if ">" in condition else (first, min(last, place))
        self.client.wait_for_slot()
        time.sleep(self._latency)
        self.client.traffic.counter.sending_seconds += self._latency
        ids = self._ids[first : max(first, min(last, first + limit))]
        self.page_rows.append(len(ids))
        yield Rows(pl.DataFrame({"id": ids}, schema={"id": pl.String}), len(ids))


def main() -> None:
    """Read once and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--rate", type=float, default=2.0)
    parser.add_argument("--latency", type=float, default=0.8)
    parser.add_argument("--clumps", type=int, default=1)
    parser.add_argument("--faster", type=float, default=10.0)
    arguments = parser.parse_args()
    rows = arguments.pages * PAGE_ROWS - 700  # as in most objects, the last page is not full
    ids = sorted(id_of(number, "001", clumps=arguments.clumps, rows=rows) for number in range(rows))
    reader: Any = PacedReader(ids, rate=arguments.rate * arguments.faster, latency=arguments.latency / arguments.faster)
    read = sum(page.frame.height for page in LaneReader(reader, after_id=None, spans=(), rows_expected=rows))
    assert read == rows, f"{read} of {rows} rows"
    send_times = reader.client.sent_at
    share_used = (len(send_times) - 3) / (send_times[-1] - send_times[2]) / arguments.rate / arguments.faster
    empty = reader.page_rows.count(0)
    print(
        f"{len(send_times)} calls for {arguments.pages} pages, {empty} of them empty;"
        f" {share_used:.1%} of the rate from the third on"
    )


if __name__ == "__main__":
    main()
