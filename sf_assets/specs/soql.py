"""SOQL as the specs write it, and as we send it.

A strict reader of `SELECT columns FROM object [WHERE condition]`, which refuses everything else by file and line, and
the few writers that turn a plan into a query. It checks nothing against an org.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sf_assets.errors import ConfigError, SpecError
from sf_assets.specs.naming import is_custom
from sf_assets.specs.soql_tokens import Token, tokens

KEYWORDS = frozenset({"SELECT", "FROM", "WHERE", "TYPEOF"})
CLAUSES = KEYWORDS | {"ALL", "FOR", "GROUP", "HAVING", "LIMIT", "OFFSET", "ORDER", "UPDATE", "USING", "WITH"}
EXPANSIONS = ("STANDARD", "CUSTOM")


@dataclass(frozen=True)
class SoqlQuery:
    """A spec's query. `columns` are those that it names; `standard` and `custom` say whether `FIELDS()` adds others."""

    sobject: str
    columns: tuple[str, ...]
    standard: bool
    custom: bool
    where: str | None
    text: str
    path: str

    def line_of(self, word: str) -> int:
        """Return the line on which a word stands first; 1 when it stands nowhere."""
        found = re.search(rf"(?<![\w.]){re.escape(word)}(?![\w.])", self.text, re.IGNORECASE)
        return self.text.count("\n", 0, found.start()) + 1 if found else 1


def read_file(path: Path) -> SoqlQuery:
    """Read a `.soql` file. Raises SpecError, with file, line and remedy, for what is no spec's query."""
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        remedy = f"Write the endpoint's query into {path.name}, or take its row out."
        raise SpecError(f"{path}: no such file.", remedy=remedy, path=str(path)) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        what = f"{path}:{line}: the file is not UTF-8"
        raise SpecError(f"{what}.", remedy="Save the file as UTF-8.", path=str(path), line=line) from None
    return read_query(text, path=str(path))


def read_query(text: str, *, path: str) -> SoqlQuery:
    """Read the text of a `.soql` file.

    Raises SpecError, with file, line and remedy, for whatever is not `SELECT columns FROM object [WHERE condition]`.
    """
    cursor = _Cursor(tokens(text, path=path), path)
    cursor.expect("SELECT", "Begin the file with SELECT.")
    columns = _columns(cursor)
    cursor.expect("FROM", "End the columns with FROM and the object's name.")
    sobject = _sobject(cursor)
    where = _where(cursor, text)
    names = tuple(column.text for column in columns if column.kind == "word")
    expansions = {column.text for column in columns if column.kind == "expansion"}
    return SoqlQuery(sobject, names, "STANDARD" in expansions, "CUSTOM" in expansions, where, text, path)


class _Cursor:
    """The tokens of one file and how far they are read; it words the refusals."""

    def __init__(self, found: Sequence[Token], path: str) -> None:
        self.found = found
        self.path = path
        self.at = 0

    def peek(self, ahead: int = 0) -> Token:
        """Return a token without passing it; behind the last one stands an empty token of kind `end`."""
        return self.found[min(self.at + ahead, len(self.found) - 1)]

    def take(self) -> Token:
        token = self.peek()
        self.at += 1
        return token

    def expect(self, keyword: str, remedy: str) -> None:
        token = self.take()
        if token.word != keyword:
            raise self.refuse(token, f"{keyword} is expected here, not {token.shown}", remedy)

    def refuse(self, token: Token, what: str, remedy: str) -> SpecError:
        where = f"{self.path}:{token.line}"
        return SpecError(f"{where}: {what}.", remedy=remedy, path=self.path, line=token.line)


def _columns(cursor: _Cursor) -> list[Token]:
    columns = [_column(cursor)]
    while cursor.peek().text == ",":
        cursor.take()
        columns.append(_column(cursor))
    if cursor.peek().kind == "word" and cursor.peek().word != "FROM":
        last, token = columns[-1].text, cursor.peek()
        remedy = f"Put a comma behind {last}, or take {token.text} out: a spec has one column a line and no aliases."
        raise cursor.refuse(token, f"{token.text} follows {last} without a comma", remedy)
    _refuse_repeated(cursor, columns)
    return columns


def _column(cursor: _Cursor) -> Token:
    token = cursor.take()
    if token.text == "(":
        raise cursor.refuse(token, "a subquery", "Take the subquery out: the child object is an endpoint of its own.")
    if token.kind != "word" or token.word in KEYWORDS:
        remedy = "Write a column's API name here, or take the comma before it away."
        raise cursor.refuse(token, f"a column is expected here, not {token.shown}", remedy)
    if cursor.peek().text == "(":
        return _expansion(cursor, token)
    if "." in token.text:
        remedy = f"Take {token.text} out and join on the Id column: a table holds the columns of its own object."
        raise cursor.refuse(token, f"{token.text} is a path to another object", remedy)
    return token


def _expansion(cursor: _Cursor, token: Token) -> Token:
    cursor.take()
    argument, closing = cursor.take(), cursor.take()
    if token.word != "FIELDS":
        remedy = f"Take {token.text}() out: a spec has plain columns, FIELDS(STANDARD) and FIELDS(CUSTOM)."
        raise cursor.refuse(token, f"{token.text}() is a function", remedy)
    if argument.word not in EXPANSIONS or closing.text != ")":
        remedy = "Write FIELDS(STANDARD), FIELDS(CUSTOM), or both, each on its line."
        raise cursor.refuse(argument, f"FIELDS({argument.text}) is not known here", remedy)
    return Token("expansion", argument.word, token.start, token.line)


def _refuse_repeated(cursor: _Cursor, columns: Sequence[Token]) -> None:
    """Salesforce answers 400 "duplicate field selected" when a column is named twice, also through FIELDS()."""
    expansions = {column.text for column in columns if column.kind == "expansion"}
    seen: dict[tuple[str, str], Token] = {}
    for column in columns:
        first = seen.setdefault((column.kind, column.text.lower()), column)
        if first is not column:
            what = f"{column.text} stands here and on line {first.line}"
            raise cursor.refuse(column, what, f"Take one of the two {column.text} out.")
        expansion = "CUSTOM" if is_custom(column.text) else "STANDARD"
        if column.kind == "word" and expansion in expansions:
            what = f"{column.text} is among FIELDS({expansion}) already"
            raise cursor.refuse(column, what, f"Take {column.text} or FIELDS({expansion}) out.")


def _sobject(cursor: _Cursor) -> str:
    token = cursor.take()
    if token.kind != "word" or "." in token.text or token.word in KEYWORDS:
        remedy = "Write the API name of one object behind FROM."
        raise cursor.refuse(token, f"an object is expected here, not {token.shown}", remedy)
    return token.text


def _where(cursor: _Cursor, text: str) -> str | None:
    token = cursor.take()
    if token.kind == "end":
        return None
    if token.word != "WHERE":
        what, remedy = f"{token.shown} is not part of a spec", f"Take {token.shown} and what follows it out"
        raise cursor.refuse(token, what, f"{remedy}: a spec is SELECT columns FROM object, and at most a WHERE.")
    _refuse_open_condition(cursor, token)
    return text[token.start + len(token.text) :].strip()


def _refuse_open_condition(cursor: _Cursor, where: Token) -> None:
    """What we AND to the condition must stay outside of it: it may not close what it did not open, nor end itself."""
    depth = 0
    if cursor.peek().kind == "end":
        raise cursor.refuse(where, "WHERE has no condition", "Write a condition behind WHERE, or take WHERE out.")
    while cursor.peek().kind != "end":
        token = cursor.take()
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth < 0:
            raise cursor.refuse(token, "a ')' that nothing opened", "Balance the parentheses of the WHERE.")
        if token.word in CLAUSES or token.text == ";":
            remedy = f"Take {token.text} out: a spec's WHERE is one condition without subqueries or further clauses."
            raise cursor.refuse(token, f"{token.text} inside the WHERE", remedy)
    if depth:
        raise cursor.refuse(where, f"{depth} '(' of the WHERE never closed", "Balance the parentheses of the WHERE.")


def select(
    columns: Sequence[str],
    sobject: str,
    *,
    where: Sequence[str] = (),
    order_by: Sequence[str] = (),
    limit: int | None = None,
) -> str:
    """Write a query on one line. The conditions are ANDed, each in parentheses where it holds AND, OR or NOT itself."""
    parts = [f"SELECT {', '.join(columns)} FROM {sobject}"]
    if where:
        parts.append("WHERE " + " AND ".join(map(_enclosed, where) if len(where) > 1 else where))
    if order_by:
        parts.append("ORDER BY " + ", ".join(order_by))
    if limit is not None:
        parts.append(f"LIMIT {limit}")
    return " ".join(parts)


def _enclosed(condition: str) -> str:
    return f"({condition})" if re.search(r"\b(AND|OR|NOT)\b", condition, re.IGNORECASE) else condition


def datetime_literal(moment: datetime) -> str:
    """Write a moment as SOQL does: UTC, whole seconds (cut, not rounded), `Z`, no quotes.

    Raises ConfigError for a moment without a time zone.
    """
    if moment.tzinfo is None:
        raise ConfigError(f"{moment.isoformat()} has no time zone.", remedy="Give the time with its offset, or with Z.")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_ESCAPES = str.maketrans(
    {"\\": r"\\", "'": r"\'", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\b": r"\b", "\f": r"\f"},
)


def string_literal(text: str) -> str:
    """Write a text in SOQL's single quotes, with what would end it escaped."""
    return f"'{text.translate(_ESCAPES)}'"
