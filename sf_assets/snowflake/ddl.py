"""What is said to Snowflake about one table, as text. Every statement may be said again without harm."""

from dataclasses import dataclass
from typing import Literal

from sf_assets.snowflake.names import TableName, identifier, literal, quoted

Mode = Literal["linked", "tables"]


@dataclass(frozen=True)
class SnowflakeTarget:
    """Where Snowflake shows the tables. `database` and `schema` are written as a person writes them in SQL.

    linked: a catalog-linked database over the lake's catalog; its schemas and tables bear the catalog's own lower-case
    names. tables: a plain schema with one Iceberg table per endpoint over a catalog integration, in upper case.
    """

    mode: Mode
    database: str
    schema: str
    namespace: str = "salesforce"
    volume: str = "sf_lake"
    integration: str = "sf_irc"

    def name(self, table: str) -> TableName:
        """Return the full name of a table of the lake."""
        if self.mode == "linked":
            return TableName(identifier(self.database), quoted(self.schema), quoted(table))
        return TableName(identifier(self.database), identifier(self.schema), quoted(table.upper()))


def create_table(place: SnowflakeTarget, table: str) -> str:
    """Make the table known; one that is known stays as it is."""
    return (
        f"CREATE ICEBERG TABLE IF NOT EXISTS {place.name(table)}"
        f" EXTERNAL_VOLUME = {literal(place.volume)} CATALOG = {literal(place.integration)}"
        f" CATALOG_NAMESPACE = {literal(place.namespace)} CATALOG_TABLE_NAME = {literal(table)} AUTO_REFRESH = FALSE"
    )


def refresh(place: SnowflakeTarget, table: str) -> str:
    """Read the table's newest metadata: rows and changed columns together."""
    return f"ALTER ICEBERG TABLE {place.name(table)} REFRESH"


def table_information(place: SnowflakeTarget, table: str) -> str:
    """Ask for the metadata file that Snowflake reads; one row with JSON. Needs OWNERSHIP of the table."""
    return f"SELECT SYSTEM$GET_ICEBERG_TABLE_INFORMATION({literal(str(place.name(table)))})"


def count_and_sum(place: SnowflakeTarget, table: str, column: str | None) -> str:
    """Ask for COUNT(*) and, of a numeric column, its sum; readers of any case find the column."""
    total = "NULL" if column is None else f"SUM({column_name(place, column)})"
    return f"SELECT COUNT(*), {total} FROM {place.name(table)}"


def column_name(place: SnowflakeTarget, column: str) -> str:
    """Return a column's identifier; a linked database has the catalog's lower case."""
    return quoted(column if place.mode == "linked" else column.upper())
