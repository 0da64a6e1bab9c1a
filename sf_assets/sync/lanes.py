"""Several ranges of Ids read at once, so that one object uses the whole request rate however long a page takes.

A lane reads one range of Ids. All lanes send under the client's one rate and quota. The lanes move through the object
as a front: each new lane begins a window of pages after the last one, and near the end the longest range is halved.
Threads read and decode; the caller's thread takes the pages and learns which ranges are complete.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Iterator

from sf_assets.errors import QueryRefused
from sf_assets.sync.id_range import IdRange
from sf_assets.sync.id_space import IdSpace
from sf_assets.sync.lane import Lane, taken_spans
from sf_assets.sync.process_load import ProcessLoad
from sf_assets.sync.reader import Reader, Rows
from sf_assets.sync.state import Spans

PENDING_BYTES = 48 * 2**20
"""Decoded pages that may wait for the writer, those in flight included; beyond it no query is sent."""
BUSY_SHARE, BUSY_LANES = 0.8, 3
"""Where this process uses nearly a whole core, more lanes would only pile up pages."""
SLOW_SECONDS, SLOW_LANES = 15.0, 4
"""Salesforce allows 5 (production: 25) requests at once that take over 20 s: pages that are nearly as slow have few
lanes."""
RATE_SECONDS = 5.0
LEAST_HALVED_PAGES = 4
UNKNOWN_PAGES = 4
"""The guess for an object that has more rows than the probe counted."""
FULL_WINDOW = 0.95
"""A window ends a little before a full page, so that its last result is short and needs no query after it."""
BOUND_IGNORED = "The org ignored an upper bound of Ids: each range of a walk costs up to a page more."


class LaneReader:
    """A reader of the rest of an object, by lanes without an order between them.

    `after_id` and `spans` are what has been read before; after each page they are what has been taken by then.
    It ends early if the org does not order (`is_unordered`), or if lanes are of no use to it (`obstacle` says why).
    """

    def __init__(self, reader: Reader, *, after_id: str | None, spans: Spans, rows_expected: int | None) -> None:
        self.after_id, self.spans = after_id, spans
        self.is_unordered, self.obstacle = False, ""
        self._reader, self._limits = reader, reader.lanes
        self._rows_left = math.inf if rows_expected is None else float(rows_expected)
        self._lanes = self._lanes_of(after_id, spans)
        self._space = IdSpace()
        self._latency = 0.0
        self._width, self._is_sparse = 0, False
        self._requests_per_second, self._rate_at = 1.0, -math.inf
        self._changed = threading.Condition()
        self._ready: deque[tuple[Lane, Rows | None]] = deque()
        self._ready_bytes = self._page_bytes = 0.0
        self._load = ProcessLoad()
        self._error: BaseException | None = None
        self._is_stopped = False

    def __iter__(self) -> Iterator[Rows]:
        try:
            while (taken := self._take()) is not None:
                lane, rows = taken
                self._advance(lane, rows)
                if rows is not None:
                    self._reader.watch(self._reader.report)
                    yield rows
        finally:
            with self._changed:
                self._is_stopped = True

    def _take(self) -> tuple[Lane, Rows | None] | None:
        """Wait for the next page or the end of a lane, or None. Raises: the error of a lane."""
        with self._changed:
            while True:
                self._start_lanes()
                if self.is_unordered or self.obstacle:
                    return None
                if self._ready:
                    lane, rows = self._ready.popleft()
                    self._ready_bytes -= rows.frame.estimated_size() if rows is not None else 0
                    return lane, rows
                if self._error is not None:
                    raise self._error
                if not any(lane.is_busy for lane in self._lanes):
                    return None
                self._changed.wait()

    def _start_lanes(self) -> None:
        """Start queries until there are as many as the rate needs. The lock is held."""
        while not (self._is_stopped or self._error):
            busy = sum(lane.is_busy for lane in self._lanes)
            pending = self._ready_bytes + busy * self._page_bytes
            lane = self._next_lane() if busy < self._wanted() and (not busy or pending < PENDING_BYTES) else None
            if lane is None:
                return
            lane.is_busy = True
            threading.Thread(target=self._read, args=(lane,), name="sf_assets lane", daemon=True).start()

    def _wanted(self) -> int:
        """Return how many requests must be in flight. It is rate times latency, and one that is decoded."""
        if not self._latency:
            return 1
        most = SLOW_LANES if self._latency > SLOW_SECONDS else self._limits.most
        most = BUSY_LANES if self._load.share > BUSY_SHARE else most
        return min(most, math.ceil(self._rate() * self._latency) + 1)

    def _rate(self) -> float:
        """Return the client's rate, asked every few seconds: the ledger may be in a database."""
        now = time.monotonic()
        if now - self._rate_at > RATE_SECONDS:
            self._requests_per_second, self._rate_at = self._reader.client.requests_per_second(), now
        return self._requests_per_second

    def _read(self, lane: Lane) -> None:
        """Run one query of a lane in its own thread. The caller's thread raises its error again."""
        try:
            self._query(lane)
        except BaseException as error:  # noqa: BLE001 - raised again by _take
            with self._changed:
                if type(error) is QueryRefused and lane.range.upper is not None:
                    self.obstacle = "refused an upper bound of Ids"
                lane.is_busy, self._error = False, self._error or error
                self._changed.notify_all()

    def _query(self, lane: Lane) -> None:
        sent = 0.0
        with self._reader.client.counting() as traffic:
            for rows in lane.range.query(watch=False, takes_more=False):
                self._deliver(lane, rows, latency=traffic.sending_seconds - sent)
                sent = traffic.sending_seconds
                if self._is_stopped:
                    break
        with self._changed:
            lane.is_busy = False
            self.is_unordered |= lane.range.is_unordered
            if lane.range.ignores_limit:
                self.obstacle = "ignored LIMIT"
            self._is_stopped |= self.is_unordered or bool(self.obstacle)
            if lane.range.is_done:
                self._learn_width(lane)
                self._ready.append((lane, None))
            self._start_lanes()
            self._changed.notify_all()

    def _deliver(self, lane: Lane, rows: Rows, *, latency: float) -> None:
        with self._changed:
            self._space.observe_page(rows.frame["id"])
            rows = lane.own_rows(rows, self._space)
            if lane.is_beyond and BOUND_IGNORED not in self._reader.report.problems.notes:
                self._reader.report.note(BOUND_IGNORED)
            ids = rows.frame["id"]
            self._latency = (self._latency * 3 + latency) / 4 if self._latency else latency
            if len(ids) > 1 and (lane.page is None or len(ids) >= self._limits.page_rows // 2):
                lane.page = (ids[0], ids[-1])
                if not self._width or lane.range.upper is None:
                    self._width, self._is_sparse = self._page_width(lane), False
            lane.rows += len(ids)
            self._rows_left -= len(ids)
            self._ready.append((lane, rows))
            self._page_bytes = rows.frame.estimated_size()
            self._ready_bytes += self._page_bytes
            self._load.sample()
            self._start_lanes()
            self._changed.notify_all()

    def _next_lane(self) -> Lane | None:
        """Return an unread range: a gap, a window, or half of the longest."""
        idle = [lane for lane in self._lanes if not (lane.is_busy or lane.range.is_done)]
        if not idle:
            return self._half()
        if idle[0].range.upper is None:
            self._bound_window(idle[0])
        return idle[0]

    def _bound_window(self, last: Lane) -> None:
        """Leave the rest after a window to another lane, if its Ids are known.

        After a window with few rows the query has no upper bound: it finds the end of a gap.
        """
        pages = self._pages_after(last)
        if last.range.after is None or not self._width or self._is_sparse or pages <= 1:
            return
        window = max(1, int(min(self._limits.window_pages, pages / (1.5 * self._wanted()))))
        self._cut(last, int((window - 1 + FULL_WINDOW) * self._width))

    def _pages_after(self, last: Lane) -> float:
        """Return the pages of the last range, by the announced number of rows."""
        bounded = sum(self._pages_in(lane) for lane in self._lanes[:-1] if not lane.range.is_done)
        pages = self._rows_left / self._limits.page_rows - bounded
        return UNKNOWN_PAGES if pages <= 1 and last.rows >= self._limits.page_rows else pages

    def _learn_width(self, lane: Lane) -> None:
        """Update the distance of pages by a range that was read completely. The lock is held."""
        first, upper = lane.first, lane.range.upper
        if first is None or upper is None:
            return
        width = self._space.number(upper) - self._space.number(first)
        pages = lane.rows / self._limits.page_rows
        if pages and pages >= 0.5 * width / max(self._width, 1):
            self._width, self._is_sparse = max(1, int(width / pages)), False
        else:
            self._width, self._is_sparse = self._width * 2, True

    def _half(self) -> Lane | None:
        """Split the longest range in two, by the distance of the Ids at its reader."""
        open_lanes = [lane for lane in self._lanes if lane.range.upper is not None and not lane.range.is_done]
        longest = max(open_lanes, key=self._pages_left, default=None)
        if longest is None or self._pages_left(longest) < LEAST_HALVED_PAGES:
            return None
        pages = int(self._pages_left(longest) / 2) + longest.is_busy + FULL_WINDOW
        return self._cut(longest, int(pages * self._page_width(longest)))

    def _cut(self, lane: Lane, width: int) -> Lane | None:
        """Shorten a lane's range and return a new lane for the rest."""
        after, upper = lane.range.after, lane.range.upper
        assert after is not None
        point = self._space.split_point(self._space.number(after) + width, after=after, before=upper)
        if point is None:
            return None
        rest = Lane(self._range(point, upper), first=point, taken=point, page=lane.page)
        lane.range.upper = point
        self._lanes.insert(self._lanes.index(lane) + 1, rest)
        return rest

    def _page_width(self, lane: Lane) -> int:
        first, last = lane.page or ("", "")
        return max(1, self._space.number(last) - self._space.number(first))

    def _pages_left(self, lane: Lane) -> float:
        """Return the pages of a bounded range after the query in flight."""
        return max(0.0, self._pages_in(lane) - lane.is_busy)

    def _pages_in(self, lane: Lane) -> float:
        """Return the pages of a bounded range that have not arrived, by its density."""
        if lane.range.upper is None or lane.range.after is None or lane.page is None:
            return 0.0
        width = self._space.number(lane.range.upper) - self._space.number(lane.range.after)
        return min(width / self._page_width(lane), self._rows_left / self._limits.page_rows)

    def _range(self, after: str | None, upper: str | None) -> IdRange:
        return IdRange(self._reader, after=after, upper=upper, limit=self._limits.page_rows)

    def _lanes_of(self, after_id: str | None, spans: Spans) -> list[Lane]:
        """Return a lane for each gap, and a finished lane for each span."""
        lanes, after = [], after_id
        for first, end in spans:
            lanes.append(Lane(self._range(after, first), first=after, taken=after))
            done = Lane(self._range(first, end), first=first, taken=end, is_taken=True)
            done.range.is_done = True
            lanes.append(done)
            after = end
        if after is not None or not spans:
            lanes.append(Lane(self._range(after, None), first=after, taken=after))
        return lanes

    def _advance(self, lane: Lane, rows: Rows | None) -> None:
        """Record what the caller is about to have."""
        with self._changed:
            if rows is None:
                lane.is_taken = True
            else:
                lane.taken = rows.last_id or lane.taken
            self._join_lanes()
            self.after_id, self.spans = taken_spans(self._lanes, self.after_id)

    def _join_lanes(self) -> None:
        """Join a lane that was taken whole with what was taken after it."""
        joined: list[Lane] = []
        for lane in self._lanes:
            before = joined[-1] if joined else None
            if before is not None and before.is_taken and lane.is_taken:
                before.range.upper, before.taken = lane.range.upper, lane.taken
            else:
                joined.append(lane)
        self._lanes = joined
