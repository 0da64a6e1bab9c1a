"""API versions and when Salesforce retires them.

Sources: Help 005321531 (2026-04-30): versions 31 to 40 are deprecated in Summer '27 and answer 410 from Summer '28 on.
Each version is supported for at least three years (REST guide, "API End-of-Life Policy"). There are three a year.
"""

from collections.abc import Sequence
from datetime import date, timedelta

RETIREMENTS = ((30.0, date(2025, 6, 1)), (40.0, date(2028, 6, 1)))
"""Last version of a block -> the day from which Salesforce may answer 410."""
WARNING = timedelta(days=365)
"""How long before its retirement a version is worth a warning."""


def retirement_of(version: str) -> date | None:
    """Return the day of a version's retirement, or None where none is announced."""
    number = _number(version)
    return next((day for last, day in RETIREMENTS if number <= last), None)


def is_retired_soon(version: str, today: date) -> bool:
    """Return whether a version is retired, or will be within a year."""
    day = retirement_of(version)
    return day is not None and day - today <= WARNING


def oldest_and_newest(versions: Sequence[str]) -> tuple[str, str]:
    """Return the oldest and the newest version, whatever their order."""
    ordered = sorted(versions, key=_number)
    return ordered[0], ordered[-1]


def _number(version: str) -> float:
    """Return a version as a number; what is not one comes first."""
    try:
        return float(version)
    except ValueError:
        return 0.0
