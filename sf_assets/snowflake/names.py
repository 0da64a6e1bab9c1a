"""Snowflake identifiers and literals. Names are always quoted: `account` and `case` are reserved words."""

import re
from dataclasses import dataclass

from sf_assets.errors import ConfigError

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_QUOTED = re.compile(r'"(?:[^"]|"")+"')


def identifier(text: str) -> str:
    """Return a setting as a quoted identifier. Unquoted text means upper case. Raises: ConfigError."""
    if _QUOTED.fullmatch(text):
        return text
    if _PLAIN.fullmatch(text):
        return quoted(text.upper())
    raise ConfigError(
        f"{text!r} is not a Snowflake identifier",
        remedy='Use letters, digits, _ and $, or put the whole name in double quotes: "my-database".',
    )


def quoted(name: str) -> str:
    """Return a name as an identifier that means exactly this name."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a string literal. Snowflake reads a backslash in single quotes as an escape."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


@dataclass(frozen=True)
class TableName:
    """The full name of a table; its three parts are quoted identifiers."""

    database: str
    schema: str
    table: str

    def __str__(self) -> str:
        return f"{self.database}.{self.schema}.{self.table}"
