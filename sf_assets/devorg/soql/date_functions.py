"""Date functions of GROUP BY: parts of a date or datetime, in UTC (SOQL guide, "Date Functions")."""

from collections.abc import Callable
from datetime import date
from typing import Any

from sf_assets.devorg.store.row_codec import NULL

DATE_TYPES = frozenset({"date", "datetime"})
DATE_FUNCTIONS: dict[str, Callable[[str], Any]] = {
    "CALENDAR_YEAR": lambda text: int(text[:4]),
    "CALENDAR_QUARTER": lambda text: (int(text[5:7]) + 2) // 3,
    "CALENDAR_MONTH": lambda text: int(text[5:7]),
    "DAY_IN_MONTH": lambda text: int(text[8:10]),
    "DAY_IN_WEEK": lambda text: date.fromisoformat(text[:10]).isoweekday() % 7 + 1,
    "DAY_IN_YEAR": lambda text: date.fromisoformat(text[:10]).timetuple().tm_yday,
    "DAY_ONLY": lambda text: text[:10],
    "HOUR_IN_DAY": lambda text: int(text[11:13]),
}
OF_DATETIME_ONLY = frozenset({"DAY_ONLY", "HOUR_IN_DAY"})


def applied(function: str, part: bytes) -> Any:
    """Return a date function of a cell's JSON; null stays null."""
    return None if part == NULL else DATE_FUNCTIONS[function](part[1:-1].decode())
