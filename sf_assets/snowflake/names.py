"""Snowflake's identifiers and literals, always quoted: `account` and `case` are words of its own."""

import re
from dataclasses import dataclass

from sf_assets.errors import ConfigError

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_QUOTED = re.compile(r'"(?:[^"]|"")+"')


def identifier(text: str) -> str:
    """Return a setting's identifier as Snowflake reads it, quoted: unquoted ones are upper case. Raises ConfigError."""
    if _QUOTED.fullmatch(text):
        return text
    if _PLAIN.fullmatch(text):
        return quoted(text.upper())
    raise ConfigError(
        f"{text!r} is no Snowflake identifier",
        remedy='Use letters, digits, _ and $, or put the whole name in double quotes: "my-database".',
    )


def quoted(name: str) -> str:
    """Return a name as an identifier that means exactly this name."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as a string literal; a backslash is an escape in Snowflake's single quotes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


@dataclass(frozen=True)
class TableName:
    """A table's full name; the three parts are identifiers, quoted already."""

    database: str
    schema: str
    table: str

    def __str__(self) -> str:
        return f"{self.database}.{self.schema}.{self.table}"
