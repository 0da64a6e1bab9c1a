"""Doctor's check of Snowflake: does it read what the tables hold? Skipped where no account is configured."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING

from dagster import BetaWarning

from sf_assets.assets.registration import NoRegistration
from sf_assets.commands.doctor.checks import DoctorContext, Finding, register_check

if TYPE_CHECKING:  # the Snowflake connector takes seconds to import
    from sf_assets.assets.registration import Registration
    from sf_assets.assets.snowflake import SnowflakeTables
    from sf_assets.iceberg.tables import IcebergTables
    from sf_assets.snowflake.account_checks import AccountCheck, TableContent


@register_check("snowflake")
def check_snowflake(context: DoctorContext) -> Iterator[Finding]:
    """Check login, role and linked database, then the first chosen table with rows."""
    readers = context.deployment.readers
    if isinstance(readers, NoRegistration):
        return
    tables = context.deployment.iceberg.tables()
    names = (spec.endpoint for spec in context.specs)
    table = next((name for name in names if (facts := tables.facts(name)) and facts.rows), None)
    with open_readers(readers) as snowflake:
        checks = _checks(snowflake, tables, table)
    for check in checks:
        yield Finding("snowflake", check.status, f"{check.subject}: {check.result}", check.remedy)
    if table is None:
        message = "no chosen table has rows yet, so no table was compared"
        yield Finding("snowflake", "warn", message, "Run doctor again after the first sync.")


@contextmanager
def open_readers(readers: "Registration") -> "Iterator[SnowflakeTables]":
    """Yield the readers with their secrets resolved, and close the session at the end."""
    from sf_assets.assets.snowflake import SnowflakeTables  # takes seconds, so only where Snowflake is configured

    with warnings.catch_warnings():  # Dagster itself calls what it has deprecated or has in beta
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", BetaWarning)
        with readers.process_config_and_initialize_cm() as opened:
            assert isinstance(opened, SnowflakeTables)
            yield opened


def _checks(snowflake: "SnowflakeTables", tables: "IcebergTables", table: str | None) -> "list[AccountCheck]":
    from sf_assets.assets.snowflake import committed_versions
    from sf_assets.snowflake.account_checks import check_account, check_table

    session, target = snowflake.session(), snowflake.target
    if table is None:
        return check_account(session, target)
    committed, content = committed_versions(tables, table), table_content(tables, table)
    return check_table(session, target, table=table, committed=committed, content=content)


def table_content(tables: "IcebergTables", table: str) -> "TableContent":
    """Count the rows and sum the first exact column.

    The sum of floats depends on their order.
    """
    import polars as pl

    from sf_assets.snowflake.account_checks import TableContent

    frame = tables.scan(table)
    exact = [name for name, kind in frame.collect_schema().items() if kind.is_decimal() or kind.is_integer()]
    if not exact:
        return TableContent(frame.select(pl.len()).collect().item())
    column = exact[0]
    rows, values, total = (
        frame.select(pl.len(), values=pl.col(column).count(), total=pl.col(column).sum()).collect().row(0)
    )
    return TableContent(rows, column, Decimal(total) if values else None)
