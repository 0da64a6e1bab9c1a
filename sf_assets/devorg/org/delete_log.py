"""The delete log: which rows were deleted and when. Not thread-safe: the org locks.

Source: REST API guide, "sObject Get Deleted"; SOAP API guide, "getDeleted()".
"""

from collections.abc import Iterable


class DeleteLog:
    """Entries of one object: Id and time of deletion in milliseconds."""

    def __init__(self, entries: Iterable[tuple[str, int]] = ()) -> None:
        self._entries = dict(entries)
        self.trimmed_until = 0

    def copy(self) -> "DeleteLog":
        copied = DeleteLog(self._entries.items())
        copied.trimmed_until = self.trimmed_until
        return copied

    def add(self, record_id: str, at: int) -> None:
        """Add an entry. A row that is already in the log keeps its first time."""
        self._entries.setdefault(record_id, at)

    def discard(self, record_id: str) -> None:
        """Drop a row that came back."""
        self._entries.pop(record_id, None)

    def between(self, start: int, end: int) -> list[tuple[str, int]]:
        """Return the entries of `start <= time <= end`, oldest first."""
        return sorted(
            (entry for entry in self._entries.items() if start <= entry[1] <= end), key=lambda entry: entry[::-1]
        )

    def trim(self, until: int) -> None:
        """Drop the entries up to a time.

        A background process does this to large logs.
        """
        self._entries = {record_id: at for record_id, at in self._entries.items() if at > until}
        self.trimmed_until = max(self.trimmed_until, until)
