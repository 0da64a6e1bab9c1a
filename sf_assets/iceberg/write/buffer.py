"""Gather pages into frames of a row group's size; at most one such frame is in memory."""

from collections.abc import Iterator

import polars as pl

BUFFER_ROWS = 65_536
BUFFER_BYTES = 24 * 1024 * 1024


class Buffer:
    """Frames of the same columns that wait for a full row group."""

    def __init__(self) -> None:
        self._frames: list[pl.DataFrame] = []
        self._rows = self._bytes = 0

    def add(self, frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Take a frame; yield what is full, or must go first because the columns change."""
        if self._frames and self._frames[0].columns != frame.columns:
            yield from self.flush()
        self._frames.append(frame)
        self._rows += frame.height
        self._bytes += int(frame.estimated_size())
        if self._rows >= BUFFER_ROWS or self._bytes >= BUFFER_BYTES:
            yield from self.flush()

    def flush(self) -> Iterator[pl.DataFrame]:
        """Yield the rest as one frame."""
        if not self._frames:
            return
        frames, self._frames = self._frames, []
        self._rows = self._bytes = 0
        yield pl.concat(frames)
