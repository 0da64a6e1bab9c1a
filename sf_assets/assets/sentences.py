"""Numbers and names as people read them, for check texts, log lines and metadata."""

from collections.abc import Iterable, Mapping


def number(count: int) -> str:
    """Return a number with thousands separators."""
    return f"{count:,}"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: 1 row, 1,200 rows."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def joined(names: Iterable[str]) -> str:
    """Return names separated by commas."""
    return ", ".join(names)


def priced(calls: Mapping[str, int]) -> str:
    """Return columns with the calls that reading them again costs."""
    return joined(f"{column} (costs {plural(count, 'call')})" for column, count in calls.items())


def counted(counts: Mapping[str, int]) -> str:
    """Return columns with their number of values."""
    return joined(f"{column} ({plural(count, 'value')})" for column, count in counts.items())
