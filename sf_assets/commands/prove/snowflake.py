"""Steps on a real Snowflake account: discovery, ownership, refresh state, and a refresh by hand."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sf_assets.assets.registration import NoRegistration
from sf_assets.commands.doctor.snowflake import open_readers, table_content
from sf_assets.commands.prove.steps import Exchange, ProofContext, Verdict, step
from sf_assets.errors import ConfigError, SnowflakeError
from sf_assets.snowflake import statements
from sf_assets.snowflake.names import identifier, literal
from sf_assets.snowflake.refresh_status import parse_json
from sf_assets.snowflake.session import SqlSession

if TYPE_CHECKING:  # the Snowflake connector takes seconds to import
    pass

FUNCTIONS = "docs.snowflake.com/en/sql-reference/functions"
MISSING = "sf_assets_no_such_table"


@step("snowflake", "the catalog and the linked database")
def discovery(context: ProofContext) -> Iterator[Exchange]:
    """List the namespaces of the catalog, and ask for the state of the linked database."""
    with _open(context) as snowflake:
        session, target = snowflake.session(), snowflake.target
        namespaces = f"SELECT SYSTEM$LIST_NAMESPACES_FROM_CATALOG({literal(target.integration)})"
        yield _ask(session, "namespaces of the catalog", namespaces, f"{FUNCTIONS}/system_list_namespaces_from_catalog")
        if target.mode == "linked":
            link = statements.catalog_link_status(target)
            yield _ask(session, "state of the linked database", link, f"{FUNCTIONS}/system_catalog_link_status")
        show = f"SHOW ICEBERG TABLES IN DATABASE {identifier(target.database)}"
        yield _ask(
            session,
            "tables with owner and refresh state",
            show,
            "docs.snowflake.com/en/sql-reference/sql/show-iceberg-tables",
            rows=3,
        )


@step("snowflake", "what the loader may ask about a table")
def table_functions(context: ProofContext) -> Iterator[Exchange]:
    """Ask for version and refresh state of an existing and a missing table."""
    with _open(context) as snowflake:
        session, target = snowflake.session(), snowflake.target
        for table in (_table(context), MISSING):
            information = statements.table_information(target, table)
            yield _ask(session, f"version of {table}", information, f"{FUNCTIONS}/system_get_iceberg_table_information")
            status = statements.auto_refresh_status(target, table)
            yield _ask(session, f"refresh state of {table}", status, f"{FUNCTIONS}/system_auto_refresh_status")


@step("snowflake", "content of a table")
def content(context: ProofContext) -> Iterator[Exchange]:
    """Compare count and sum with the Iceberg table.

    The report says equal or different, never the figures.
    """
    table = _table(context)
    ours = table_content(context.deployment.iceberg.tables(), table)
    with _open(context) as snowflake:
        statement = statements.count_and_sum(snowflake.target, table, ours.column)
        exchange = _ask(
            snowflake.session(),
            f"content of {table}",
            statement,
            "docs.snowflake.com/en/user-guide/warehouses-overview",
        )
    if exchange.verdict == "refused":
        yield exchange
        return
    ((rows, total),) = exchange.answer
    is_equal = int(rows) == ours.rows and (total is None) == (ours.total is None)
    verdict: Verdict = "as documented" if is_equal else "different"
    yield Exchange(exchange.name, statement, "equal" if is_equal else "different", exchange.source, verdict)


@step(
    "snowflake", "discovery at once", changes="runs ALTER DATABASE ... RESUME DISCOVERY, which starts a discovery now"
)
def resume_discovery(context: ProofContext) -> Iterator[Exchange]:
    """Start discovery as the loader."""
    with _open(context) as snowflake:
        if snowflake.target.mode == "linked":
            statement = statements.resume_discovery(snowflake.target)
            source = "docs.snowflake.com/en/sql-reference/sql/alter-database-catalog-linked"
            yield _ask(snowflake.session(), "discovery at once", statement, source)


@step(
    "snowflake", "a refresh by hand", changes="runs ALTER ICEBERG TABLE ... REFRESH on one table, which changes no row"
)
def refresh(context: ProofContext) -> Iterator[Exchange]:
    """Refresh a table of a read-only linked database.

    If that works, polls may be rare (docs/cost.md).
    """
    with _open(context) as snowflake:
        statement = statements.refresh(snowflake.target, _table(context))
        source = "docs.snowflake.com/en/sql-reference/sql/alter-iceberg-table-refresh"
        yield _ask(snowflake.session(), "a refresh by hand", statement, source)


def _open(context: ProofContext) -> Any:
    readers = context.deployment.readers
    if isinstance(readers, NoRegistration):
        raise ConfigError("SNOWFLAKE_ACCOUNT is not set", remedy="Set Snowflake's settings (docs/production.md).")
    return open_readers(readers)


def _table(context: ProofContext) -> str:
    """Return the first chosen endpoint with rows. Raises: ConfigError."""
    tables = context.deployment.iceberg.tables()
    for spec in context.specs:
        facts = tables.facts(spec.endpoint)
        if facts is not None and facts.rows:
            return spec.endpoint
    raise ConfigError("no table has rows yet", remedy="Materialize one endpoint first, for example organization.")


def _ask(session: SqlSession, name: str, statement: str, source: str, *, rows: int | None = None) -> Exchange:
    """Run a statement and return the exchange.

    An error is an answer in the form of exchanges.json: code, sqlstate, message.
    """
    try:
        answer: Any = [list(row) for row in session.execute(statement)]
    except SnowflakeError as error:
        values = error.values
        answer = {"code": values.get("errno"), "sqlstate": values.get("sqlstate"), "message": str(error)}
        return Exchange(name, statement, answer, source, "refused")
    answer = answer if rows is None else answer[:rows]
    parsed = parse_json(answer[0][0]) if len(answer) == 1 and len(answer[0]) == 1 else {}
    state = parsed.get("executionState")
    verdict: Verdict = "open" if state is None else "as documented" if state == "RUNNING" else "different"
    return Exchange(name, statement, answer, source, verdict)
