"""The SQL statements about one table. Each statement may be repeated without harm."""

from dataclasses import dataclass
from typing import Literal

from sf_assets.snowflake.names import TableName, identifier, literal, quoted

Mode = Literal["linked", "tables"]


@dataclass(frozen=True)
class SnowflakeTarget:
    """The place of the tables in Snowflake. `database` and `schema` are spelled as in SQL.

    linked: a catalog-linked database. Its schemas and tables have the lower-case names of the catalog.
    tables: a plain schema with one Iceberg table per endpoint, with upper-case names.
    """

    mode: Mode
    database: str
    schema: str
    namespace: str = "salesforce"
    volume: str = "sf_lake"
    integration: str = "sf_irc"

    def name(self, table: str) -> TableName:
        """Return the full name of a table."""
        if self.mode == "linked":
            return TableName(identifier(self.database), quoted(self.schema), quoted(table))
        return TableName(identifier(self.database), identifier(self.schema), quoted(table.upper()))


def create_table(target: SnowflakeTarget, table: str) -> str:
    """Create the table over the catalog integration; an existing table stays as it is."""
    return (
        f"CREATE ICEBERG TABLE IF NOT EXISTS {target.name(table)}"
        f" EXTERNAL_VOLUME = {literal(target.volume)} CATALOG = {literal(target.integration)}"
        f" CATALOG_NAMESPACE = {literal(target.namespace)} CATALOG_TABLE_NAME = {literal(table)} AUTO_REFRESH = FALSE"
    )


def refresh(target: SnowflakeTarget, table: str) -> str:
    """Read the newest metadata of the table: rows and changed columns together."""
    return f"ALTER ICEBERG TABLE {target.name(table)} REFRESH"


def table_information(target: SnowflakeTarget, table: str) -> str:
    """Select JSON with the metadata file that Snowflake reads. Needs OWNERSHIP of the table."""
    return f"SELECT SYSTEM$GET_ICEBERG_TABLE_INFORMATION({literal(str(target.name(table)))})"


def auto_refresh_status(target: SnowflakeTarget, table: str) -> str:
    """Select JSON with the state of the automated refresh and its reason. Needs OWNERSHIP of the table.

    Source: docs.snowflake.com/en/sql-reference/functions/system_auto_refresh_status
    """
    return f"SELECT SYSTEM$AUTO_REFRESH_STATUS({literal(str(target.name(table)))})"


def catalog_link_status(target: SnowflakeTarget) -> str:
    """Select JSON with the state of the linked database and the tables that failed."""
    return f"SELECT SYSTEM$CATALOG_LINK_STATUS({literal(target.database)})"


def resume_discovery(target: SnowflakeTarget) -> str:
    """Look for new tables now instead of at the next interval. Needs OWNERSHIP of the database.

    Source: docs.snowflake.com/en/sql-reference/sql/alter-database-catalog-linked
    """
    return f"ALTER DATABASE {identifier(target.database)} RESUME DISCOVERY"


def restart_auto_refresh(target: SnowflakeTarget, table: str) -> tuple[str, ...]:
    """Return the statements that start a stopped automated refresh again, then show its state.

    Source: docs.snowflake.com/en/user-guide/tables-iceberg-auto-refresh, "Error recovery"
    """
    alter = f"ALTER ICEBERG TABLE {target.name(table)}"
    return (
        f"{alter} SET AUTO_REFRESH = FALSE",
        f"{alter} REFRESH",
        f"{alter} SET AUTO_REFRESH = TRUE",
        auto_refresh_status(target, table),
    )


def count_and_sum(target: SnowflakeTarget, table: str, column: str | None) -> str:
    """Select COUNT(*) and the sum of a numeric column, or NULL without a column."""
    total = "NULL" if column is None else f"SUM({column_name(target, column)})"
    return f"SELECT COUNT(*), {total} FROM {target.name(table)}"


def column_name(target: SnowflakeTarget, column: str) -> str:
    """Return the identifier of a column; a linked database uses lower case."""
    return quoted(column if target.mode == "linked" else column.upper())
