"""What `doctor` asks a real account: login, linked database, the version of a table and its content."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from sf_assets.errors import SnowflakeDenied, SnowflakeError, SnowflakeWarehouseDown
from sf_assets.snowflake.refresh_status import parse_json, read_refresh_status, restart_remedy
from sf_assets.snowflake.session import SqlSession
from sf_assets.snowflake.statements import SnowflakeTarget, catalog_link_status, count_and_sum
from sf_assets.snowflake.visibility import Committed, read_visibility

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class AccountCheck:
    """One check: its subject, its result and, unless it is ok, what to do."""

    subject: str
    status: Status
    result: str
    remedy: str = ""


@dataclass(frozen=True)
class TableContent:
    """What the Iceberg table holds: its rows and the sum of one numeric column, or None without such a column."""

    rows: int
    column: str | None = None
    total: Decimal | None = None


def check_table(
    session: SqlSession, target: SnowflakeTarget, *, table: str, committed: Committed, content: TableContent
) -> list[AccountCheck]:
    """Check everything, from the login to the content of one table. A refused login is the only result."""
    checks = check_account(session, target)
    if checks[0].status != "ok":
        return checks
    version = _check(f"version of {target.name(table)}", lambda: _version(session, target, table, committed))
    same = _check(f"content of {target.name(table)}", lambda: _compare(session, target, table, content))
    return [*checks, version, same]


def check_account(session: SqlSession, target: SnowflakeTarget) -> list[AccountCheck]:
    """Check what needs no table: the login and, where there is one, the linked database."""
    checks = [_check("login, role and region", lambda: _login(session))]
    if checks[0].status == "ok" and target.mode == "linked":
        checks.append(_check("state of the linked database", lambda: _link(session, target)))
    return checks


def _check(subject: str, ask: Callable[[], tuple[str, str]]) -> AccountCheck:
    """Run one check. A missing warehouse is a warning: only this comparison needs one."""
    try:
        result, remedy = ask()
    except SnowflakeWarehouseDown as error:
        return AccountCheck(subject, "warn", f"not compared: {error}", error.remedy)
    except SnowflakeError as error:
        return AccountCheck(subject, "fail", str(error), error.remedy)
    return AccountCheck(subject, "fail" if remedy else "ok", result, remedy)


def _login(session: SqlSession) -> tuple[str, str]:
    ((user, role, region),) = session.execute("SELECT CURRENT_USER(), CURRENT_ROLE(), CURRENT_REGION()")
    return f"{user} as {role} in {region}", "" if role else SnowflakeDenied.remedy


def _link(session: SqlSession, target: SnowflakeTarget) -> tuple[str, str]:
    """Return executionState and every table that Snowflake could not add."""
    rows = session.execute(catalog_link_status(target))
    answer = parse_json(rows[0][0] if rows and rows[0] else None)
    state, failed = answer.get("executionState"), list(_failures(answer))
    if state == "RUNNING" and not failed:
        return "RUNNING", ""
    reason = answer.get("failedExecutionStateReason", "")
    result = f"{state} {reason} {'; '.join(failed)}" if answer else f"an unknown answer: {rows}"
    return (
        result.strip(),
        "Correct what the reason names (the reader's trust and policies: sf-assets setup aws), then run"
        " ALTER DATABASE ... RESUME DISCOVERY.",
    )


def _failures(answer: dict[str, Any]) -> Iterator[str]:
    details = answer.get("failureDetails")
    for detail in details if isinstance(details, list) else []:
        yield f"{detail.get('qualifiedEntityName')}: {detail.get('errorMessage')}"


def _version(session: SqlSession, target: SnowflakeTarget, table: str, committed: Committed) -> tuple[str, str]:
    visibility = read_visibility(session, target, table, committed=committed)
    if visibility.is_current:
        return f"reads {visibility.location}", ""
    version = f"reads {visibility.location} ({visibility.status}), late since {visibility.stale_since}"
    if target.mode == "tables":
        return version, "Materialize the endpoint again: that refreshes the table."
    status = read_refresh_status(session, target, table)
    return f"{version}; automated refresh {status}", f"Wait for the next poll. {restart_remedy(target, table)}"


def _compare(session: SqlSession, target: SnowflakeTarget, table: str, content: TableContent) -> tuple[str, str]:
    """Compare count and sum."""
    ((rows, total),) = session.execute(count_and_sum(target, table, content.column))
    snowflake = (int(str(rows)), _number(total))
    result = f"{snowflake[0]} rows, sum {snowflake[1]}; the table has {content.rows} rows, sum {content.total}"
    if snowflake == (content.rows, content.total):
        return result, ""
    return result, "An old version (the line above) explains it; otherwise report both figures."


def _number(value: object) -> Decimal | None:
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None
