"""How far a long reading is, for the log of its run: a line every few seconds, none for what is over sooner."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sf_assets.sync.report import SyncReport

EVERY_SECONDS = 5.0


@dataclass(frozen=True)
class Progress:
    """A moment of a reading. Planned and remaining values are None if the total is unknown."""

    endpoint: str
    pages: int
    pages_planned: int | None
    rows: int
    rows_planned: int | None
    rows_per_second: float
    minutes_left: float | None

    def __str__(self) -> str:
        left = "" if self.minutes_left is None else f", {self.minutes_left:.1f} minutes left"
        pages, rows = f"{self.pages:,}{_of(self.pages_planned)}", f"{self.rows:,}{_of(self.rows_planned)}"
        return f"{self.endpoint}: page {pages}, {rows} rows, {self.rows_per_second:,.0f} rows/s{left}"


def progress_of(report: "SyncReport", *, seconds: float) -> Progress:
    """Return how far a reading is after some seconds. The rest is expected at the same pace."""
    rows, pages, pace = report.read.rows, report.read.pages, report.read.rows / max(seconds, 0.001)
    planned = None if report.planned.rows is None else max(report.planned.rows, rows)
    return Progress(
        endpoint=report.endpoint,
        pages=pages,
        pages_planned=None if planned is None or not rows else max(-(-planned * pages // rows), pages),
        rows=rows,
        rows_planned=planned,
        rows_per_second=round(pace, 1),
        minutes_left=None if planned is None or not pace else round((planned - rows) / pace / 60, 1),
    )


class ProgressLog:
    """A listener on pages that logs the progress every few seconds, also as values (`extra`)."""

    def __init__(
        self,
        log: Callable[..., Any],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        self._log, self._monotonic, self._every_seconds = log, monotonic, every_seconds
        self._began = self._logged_at = monotonic()

    def __call__(self, report: "SyncReport") -> None:
        """Log how far the reading is, at most every few seconds."""
        now = self._monotonic()
        if now - self._logged_at < self._every_seconds:
            return
        self._logged_at = now
        progress = progress_of(report, seconds=now - self._began)
        self._log(str(progress), extra={"progress": asdict(progress)})


def _of(planned: int | None) -> str:
    return "" if planned is None else f" of {planned:,}"
