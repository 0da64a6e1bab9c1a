"""What `doctor` asks a real account: one line per question, with the answer and what to do when it is not good."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from sf_assets.errors import SnowflakeDenied, SnowflakeError
from sf_assets.snowflake.ddl import SnowflakeTarget, count_and_sum
from sf_assets.snowflake.names import literal
from sf_assets.snowflake.visibility import Committed, SqlSession, see


@dataclass(frozen=True)
class Line:
    """A question and its outcome; `remedy` is empty when the answer is good."""

    asked: str
    answer: str
    remedy: str = ""

    @property
    def is_good(self) -> bool:
        return not self.remedy


@dataclass(frozen=True)
class Content:
    """What the lake holds of a table: its rows and the sum of one numeric column (None: it has none)."""

    rows: int
    column: str | None = None
    total: Decimal | None = None


def examine(
    session: SqlSession, place: SnowflakeTarget, *, table: str, committed: Committed, content: Content
) -> list[Line]:
    """Ask everything, from the login to the content of one table; after a refused login nothing more is asked."""
    lines = examine_account(session, place)
    if not lines[0].is_good:
        return lines
    lines.append(_line(f"version of {place.name(table)}", lambda: _version(session, place, table, committed)))
    lines.append(_line(f"content of {place.name(table)}", lambda: _content(session, place, table, content)))
    return lines


def examine_account(session: SqlSession, place: SnowflakeTarget) -> list[Line]:
    """Ask what needs no table: the login and, where there is one, the linked database."""
    lines = [_line("login, role and region", lambda: _who(session))]
    if lines[0].is_good and place.mode == "linked":
        lines.append(_line("state of the linked database", lambda: _link(session, place)))
    return lines


def _line(asked: str, ask: Callable[[], tuple[str, str]]) -> Line:
    try:
        answer, remedy = ask()
    except SnowflakeError as error:
        return Line(asked, str(error), error.remedy)
    return Line(asked, answer, remedy)


def _who(session: SqlSession) -> tuple[str, str]:
    ((user, role, region),) = session.execute("SELECT CURRENT_USER(), CURRENT_ROLE(), CURRENT_REGION()")
    return f"{user} as {role} in {region}", "" if role else SnowflakeDenied.remedy


def _link(session: SqlSession, place: SnowflakeTarget) -> tuple[str, str]:
    """executionState, and every table that Snowflake could not take over."""
    ((text,),) = session.execute(f"SELECT SYSTEM$CATALOG_LINK_STATUS({literal(place.database)})")
    told = json.loads(str(text))
    failed = list(_failures(told))
    if told.get("executionState") == "RUNNING" and not failed:
        return "RUNNING", ""
    why = told.get("failedExecutionStateReason", "")
    return (
        f"{told.get('executionState')} {why} {'; '.join(failed)}".strip(),
        "Mend what the reason names (the reader's trust and policies: sf-assets setup aws), then"
        " ALTER DATABASE ... RESUME DISCOVERY.",
    )


def _failures(told: dict[str, object]) -> Iterator[str]:
    details = told.get("failureDetails")
    for detail in details if isinstance(details, list) else []:
        yield f"{detail.get('qualifiedEntityName')}: {detail.get('errorMessage')}"


def _version(session: SqlSession, place: SnowflakeTarget, table: str, committed: Committed) -> tuple[str, str]:
    seen = see(session, place, table, committed=committed)
    if seen.is_current:
        return f"reads {seen.location}", ""
    return (
        f"reads {seen.location} ({seen.status}), behind since {seen.stale_since}",
        "Wait for the next poll; if it stays, ALTER ICEBERG TABLE ... REFRESH and look at the refresh's status.",
    )


def _content(session: SqlSession, place: SnowflakeTarget, table: str, content: Content) -> tuple[str, str]:
    """Count and sum, lake against Snowflake."""
    ((rows, total),) = session.execute(count_and_sum(place, table, content.column))
    theirs = (int(str(rows)), _number(total))
    answer = f"{theirs[0]} rows, sum {theirs[1]}; the lake has {content.rows} rows, sum {content.total}"
    if theirs == (content.rows, content.total):
        return answer, ""
    return answer, "A version that is behind (the line above) explains it; otherwise report it with both figures."


def _number(value: object) -> Decimal | None:
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None
