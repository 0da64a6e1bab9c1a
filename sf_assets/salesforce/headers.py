"""Read the headers of an answer: usage of the org, the server's clock, Retry-After. Never raises."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from sf_assets.salesforce.wire import Usage

LONGEST_HEADER = 1_000
"""Characters of a header that are read."""
EPOCH_SECONDS = 1_000_000_000.0
"""A Retry-After above this is a moment in seconds since 1970, not a number of seconds."""
# "api-usage=18/5000", or "api-usage=25/5000; per-app-api-usage=17/250(appName=…)": REST guide, "Limit Info Header"
_USAGE = re.compile(r"(?:^|[;,\s])api-usage\s?=\s?([0-9]{1,15})\s?/\s?([0-9]{1,15})", re.IGNORECASE)
_SECONDS = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)\s{0,5}(?:s|sec|seconds)?", re.IGNORECASE | re.ASCII)


def usage_of(headers: Mapping[str, str]) -> Usage | None:
    """Return the usage of `Sforce-Limit-Info`, or None without a limit in it."""
    match = _USAGE.search(headers.get("sforce-limit-info", "")[:LONGEST_HEADER])
    return Usage(int(match[1]), int(match[2])) if match and int(match[2]) else None


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """Return the server's clock from `Date`, or None."""
    return parse_date(headers.get("date", ""))


def parse_date(text: str) -> datetime | None:
    """Return the moment of an HTTP or ISO 8601 date (aware, UTC), or None."""
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = parse(text[:LONGEST_HEADER].strip())
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def once(value: str) -> str:
    """Return the value of a header that a gateway has doubled: "null, null" is "null"."""
    values = {part.strip() for part in value.split(",")}
    return values.pop() if len(values) == 1 else value


def retry_after_seconds(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Return the seconds of `Retry-After`, or None.

    The header holds seconds, a date, or a moment in seconds since 1970. A date is compared with the server's `Date`.
    """
    text = headers.get("retry-after", "")[:LONGEST_HEADER].strip()
    clock = date_of(headers) or now
    match = _SECONDS.fullmatch(text.partition(",")[0].strip())
    if match:
        seconds = float(match[1])
        return max(0.0, seconds - clock.timestamp()) if seconds > EPOCH_SECONDS else seconds
    moment = parse_date(text)
    return max(0.0, (moment - clock).total_seconds()) if moment else None
