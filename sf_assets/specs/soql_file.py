"""The parser of `.soql` files: `SELECT columns FROM object [WHERE condition]`, and nothing else.

Everything else is refused with file and line. Nothing is checked against an org here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sf_assets.errors import SpecError
from sf_assets.specs.files import read_bounded
from sf_assets.specs.naming import is_custom
from sf_assets.specs.soql_condition import check_condition
from sf_assets.specs.soql_tokens import Token, TokenCursor, tokens

KEYWORDS = frozenset({"SELECT", "FROM", "WHERE", "TYPEOF"})
EXPANSIONS = ("STANDARD", "CUSTOM")
MAX_CHARACTERS = 100_000
"""The longest SOQL statement that Salesforce accepts."""
MAX_NAME = 100
"""Longer than any API name: 40 characters of a name, 15 of a package, and suffixes."""


@dataclass(frozen=True)
class SoqlQuery:
    """A spec's query. `columns` are named in it; `standard` and `custom` say whether `FIELDS()` adds others."""

    sobject: str
    columns: tuple[str, ...]
    standard: bool
    custom: bool
    where: str | None
    text: str
    path: str

    def line_of(self, word: str) -> int:
        """Return the first line that contains a word, or 1 if none does."""
        match = re.search(rf"(?<![\w.]){re.escape(word)}(?![\w.])", self.text, re.IGNORECASE)
        return self.text.count("\n", 0, match.start()) + 1 if match else 1


def read_file(path: Path) -> SoqlQuery:
    """Read a `.soql` file. Raises: SpecError with file, line and remedy."""
    try:
        content = read_bounded(path)
        text = content.decode()
    except FileNotFoundError:
        remedy = f"Write the endpoint's query into {path.name}, or remove the endpoint's row."
        raise SpecError(f"{path}: no such file.", remedy=remedy, path=str(path)) from None
    except OSError as error:
        what = f"{path}: the file cannot be read ({error.strerror})"
        raise SpecError(f"{what}.", remedy="Replace it by a readable file.", path=str(path)) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        what = f"{path}:{line}: the file is not UTF-8"
        raise SpecError(f"{what}.", remedy="Save the file as UTF-8.", path=str(path), line=line) from None
    return read_query(text, path=str(path))


def read_query(text: str, *, path: str) -> SoqlQuery:
    """Parse the text of a `.soql` file. Raises: SpecError with file, line and remedy."""
    if len(text) > MAX_CHARACTERS:
        what = f"{path}:1: the query has {len(text):,} characters, and Salesforce accepts {MAX_CHARACTERS:,}"
        raise SpecError(f"{what}.", remedy="Name fewer columns, or use FIELDS(CUSTOM).", path=path, line=1)
    cursor = TokenCursor(tokens(text, path=path), path)
    cursor.expect("SELECT", "Begin the file with SELECT.")
    columns = _columns(cursor)
    cursor.expect("FROM", "End the columns with FROM and the object's name.")
    sobject = _sobject(cursor)
    where = _where(cursor, text)
    names = tuple(column.text for column in columns if column.kind == "word")
    expansions = {column.text for column in columns if column.kind == "expansion"}
    return SoqlQuery(sobject, names, "STANDARD" in expansions, "CUSTOM" in expansions, where, text, path)


def _columns(cursor: TokenCursor) -> list[Token]:
    columns = [_column(cursor)]
    while cursor.peek().text == ",":
        cursor.take()
        columns.append(_column(cursor))
    if cursor.peek().kind == "word" and cursor.peek().word != "FROM":
        last, token = columns[-1].text, cursor.peek()
        remedy = f"Put a comma after {last}, or remove {token.display}: a spec has one column a line and no aliases."
        raise cursor.refuse(token, f"{token.display} follows {last} without a comma", remedy)
    _refuse_repeated(cursor, columns)
    return columns


def _column(cursor: TokenCursor) -> Token:
    token = cursor.take()
    if token.text == "(":
        raise cursor.refuse(token, "a subquery", "Remove the subquery: the child object is an endpoint of its own.")
    if token.kind != "word" or token.word in KEYWORDS:
        remedy = "Write a column's API name here, or remove the comma before it."
        raise cursor.refuse(token, f"a column is expected here, not {token.display}", remedy)
    if cursor.peek().text == "(":
        return _expansion(cursor, token)
    if "." in token.text:
        remedy = f"Remove {token.display} and join on the Id column: a table has the columns of its own object."
        raise cursor.refuse(token, f"{token.display} is a path to another object", remedy)
    return _api_name(cursor, token)


def _api_name(cursor: TokenCursor, token: Token) -> Token:
    if len(token.text) > MAX_NAME:
        what = f"the name {token.display} has {len(token.text)} characters"
        raise cursor.refuse(token, what, f"Correct the name: no API name has more than {MAX_NAME} characters.")
    if ":" in token.text:
        raise cursor.refuse(token, f"{token.display} is a date literal, not a name", "Write an API name here.")
    return token


def _expansion(cursor: TokenCursor, token: Token) -> Token:
    cursor.take()
    argument, closing = cursor.take(), cursor.take()
    if token.word != "FIELDS":
        remedy = f"Remove {token.display}(): a spec has plain columns, FIELDS(STANDARD) and FIELDS(CUSTOM)."
        raise cursor.refuse(token, f"{token.display}() is a function", remedy)
    if argument.word not in EXPANSIONS or closing.text != ")":
        remedy = "Write FIELDS(STANDARD), FIELDS(CUSTOM), or both, each on its own line."
        raise cursor.refuse(argument, f"FIELDS({argument.display}) is unknown", remedy)
    return Token("expansion", argument.word, token.start, token.line)


def _refuse_repeated(cursor: TokenCursor, columns: Sequence[Token]) -> None:
    """Refuse a column that is named twice, also through FIELDS().

    Salesforce answers 400 "duplicate field selected".
    """
    expansions = {column.text for column in columns if column.kind == "expansion"}
    first_of: dict[tuple[str, str], Token] = {}
    for column in columns:
        first = first_of.setdefault((column.kind, column.text.lower()), column)
        if first is not column:
            what = f"{column.text} is here and on line {first.line}"
            raise cursor.refuse(column, what, f"Remove one of the two {column.text}.")
        expansion = "CUSTOM" if is_custom(column.text) else "STANDARD"
        if column.kind == "word" and expansion in expansions:
            what = f"{column.text} is among FIELDS({expansion}) already"
            raise cursor.refuse(column, what, f"Remove {column.text} or FIELDS({expansion}).")


def _sobject(cursor: TokenCursor) -> str:
    token = cursor.take()
    if token.kind != "word" or "." in token.text or token.word in KEYWORDS:
        remedy = "Write the API name of one object after FROM."
        raise cursor.refuse(token, f"an object is expected here, not {token.display}", remedy)
    return _api_name(cursor, token).text


def _where(cursor: TokenCursor, text: str) -> str | None:
    token = cursor.take()
    if token.kind == "end":
        return None
    if token.word != "WHERE":
        what, remedy = f"{token.display} is not part of a spec", f"Remove {token.display} and what follows it"
        raise cursor.refuse(token, what, f"{remedy}: a spec is SELECT columns FROM object, and at most a WHERE.")
    check_condition(cursor, token)
    return text[token.start + len(token.text) :].strip()
