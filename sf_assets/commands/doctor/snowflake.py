"""The doctor's check of Snowflake: whether it reads what the lake holds. Nothing is asked where no account is named."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING

from dagster import BetaWarning

from sf_assets.assets.registration import NoRegistration
from sf_assets.commands.doctor.checks import DoctorContext, Finding, register

if TYPE_CHECKING:
    from sf_assets.assets.registration import Registration
    from sf_assets.assets.snowflake import SnowflakeTables
    from sf_assets.iceberg.tables import IcebergTables
    from sf_assets.snowflake.examination import Content, Line


@register("snowflake")
def snowflake(patient: DoctorContext) -> Iterator[Finding]:
    """Login, role and linked database; then version and content of the first chosen table that has rows in the lake."""
    readers = patient.deployment.readers
    if isinstance(readers, NoRegistration):
        return
    warehouse = patient.deployment.iceberg.warehouse()
    named = (spec.endpoint for spec in patient.specs)
    table = next((name for name in named if (facts := warehouse.facts(name)) and facts.rows), None)
    with _opened(readers) as tables:
        lines = _lines(tables, warehouse, table)
    for line in lines:
        yield Finding("snowflake", "ok" if line.is_good else "fail", f"{line.asked}: {line.answer}", line.remedy)
    if table is None:
        said = "no chosen table has rows in the lake yet, so none was compared"
        yield Finding("snowflake", "warn", said, "Ask again after the first sync.")


@contextmanager
def _opened(readers: "Registration") -> "Iterator[SnowflakeTables]":
    """The readers with their secrets read; at the end the session is closed."""
    from sf_assets.assets.snowflake import SnowflakeTables  # takes seconds, so only where Snowflake is configured

    with warnings.catch_warnings():  # Dagster itself calls what it has deprecated or has in beta
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", BetaWarning)
        with readers.process_config_and_initialize_cm() as opened:
            assert isinstance(opened, SnowflakeTables)
            yield opened


def _lines(tables: "SnowflakeTables", warehouse: "IcebergTables", table: str | None) -> "list[Line]":
    from sf_assets.assets.snowflake import committed_versions
    from sf_assets.snowflake.examination import examine, examine_account

    if table is None:
        return examine_account(tables.session(), tables.place)
    committed, content = committed_versions(warehouse, table), _content(warehouse, table)
    return examine(tables.session(), tables.place, table=table, committed=committed, content=content)


def _content(warehouse: "IcebergTables", table: str) -> "Content":
    """Count the lake's rows, and add up the first column whose sum is exact: of floats the order would matter."""
    import polars as pl

    from sf_assets.snowflake.examination import Content

    frame = warehouse.scan(table)
    exact = [name for name, kind in frame.collect_schema().items() if kind.is_decimal() or kind.is_integer()]
    if not exact:
        return Content(frame.select(pl.len()).collect().item())
    column = exact[0]
    rows, known, total = (
        frame.select(pl.len(), known=pl.col(column).count(), total=pl.col(column).sum()).collect().row(0)
    )
    return Content(rows, column, Decimal(total) if known else None)
