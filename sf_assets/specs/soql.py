"""Writers of SOQL: the queries that are sent, and literals in them."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from sf_assets.errors import ConfigError


def select(
    columns: Sequence[str],
    sobject: str,
    *,
    where: Sequence[str] = (),
    order_by: Sequence[str] = (),
    limit: int | None = None,
) -> str:
    """Write a query on one line.

    The conditions are ANDed. A condition with AND, OR or NOT in it is put in parentheses.
    """
    parts = [f"SELECT {', '.join(columns)} FROM {sobject}"]
    if where:
        parts.append("WHERE " + " AND ".join(map(_in_parentheses, where) if len(where) > 1 else where))
    if order_by:
        parts.append("ORDER BY " + ", ".join(order_by))
    if limit is not None:
        parts.append(f"LIMIT {limit}")
    return " ".join(parts)


def _in_parentheses(condition: str) -> str:
    return f"({condition})" if re.search(r"\b(AND|OR|NOT)\b", condition, re.IGNORECASE) else condition


def datetime_literal(moment: datetime) -> str:
    """Write a moment as SOQL does: UTC, whole seconds (cut, not rounded), `Z`, no quotes.

    Raises: ConfigError for a moment without a time zone.
    """
    if moment.tzinfo is None:
        raise ConfigError(f"{moment.isoformat()} has no time zone.", remedy="Give the time with its offset, or with Z.")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_ESCAPES = str.maketrans(
    {"\\": r"\\", "'": r"\'", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\b": r"\b", "\f": r"\f"},
)


def string_literal(text: str) -> str:
    """Write a text in SOQL's single quotes, with escapes for whatever would end the string."""
    return f"'{text.translate(_ESCAPES)}'"
