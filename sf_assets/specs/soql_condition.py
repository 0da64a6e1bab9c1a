"""The WHERE of a `.soql` file: one condition, parsed as far as needed to refuse what the org would refuse.

Source of the grammar: "Condition Expression Syntax (WHERE Clause)" in Salesforce's SOQL and SOSL Reference.
"""

import re

from sf_assets.errors import SpecError
from sf_assets.specs.soql_tokens import Token, TokenCursor

CLAUSES = frozenset(
    {"ALL", "FOR", "FROM", "GROUP", "HAVING", "LIMIT", "OFFSET", "ORDER"}
    | {"SELECT", "TYPEOF", "UPDATE", "USING", "WHERE", "WITH"}
)
COMPARISONS = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})
LIST_OPERATORS = frozenset({"IN", "INCLUDES", "EXCLUDES"})
JOINS = frozenset({"AND", "OR"})
MAX_DEPTH = 50
"""Parentheses and NOT inside each other: far more than a person writes."""

_NUMBER = re.compile(
    r"[+-]?\d+(\.\d+)?(E[+-]?\d+)?"
    r"|\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d))?",
    re.IGNORECASE | re.ASCII,
)


def check_condition(cursor: TokenCursor, where: Token) -> None:
    """Pass the condition after WHERE, up to the end of the file.

    Whatever is ANDed to the condition later must stay outside it, so the condition may not close a parenthesis that it
    did not open. Raises: SpecError with file and line.
    """
    if cursor.peek().kind == "end":
        raise cursor.refuse(where, "WHERE has no condition", "Write a condition after WHERE, or remove WHERE.")
    _pass_expression(cursor, depth=0)
    token = cursor.peek()
    if token.kind != "end":
        raise _unexpected(cursor, token)


def _pass_expression(cursor: TokenCursor, *, depth: int) -> None:
    if depth > MAX_DEPTH:
        remedy = "Write the condition with fewer parentheses."
        raise cursor.refuse(cursor.peek(), f"the WHERE is nested more than {MAX_DEPTH} levels deep", remedy)
    _pass_term(cursor, depth=depth)
    first = cursor.peek().word
    while cursor.peek().word in JOINS:
        join = cursor.take()
        if join.word != first:
            remedy = f"Put parentheses around the parts that {first} joins: the org refuses the mixture."
            raise cursor.refuse(join, f"{join.text} and {first} are mixed without parentheses", remedy)
        _pass_term(cursor, depth=depth)


def _pass_term(cursor: TokenCursor, *, depth: int) -> None:
    token = cursor.peek()
    if token.word == "NOT":
        cursor.take()
        if depth > MAX_DEPTH:
            raise cursor.refuse(token, f"the WHERE is nested more than {MAX_DEPTH} levels deep", "Remove a NOT.")
        _pass_term(cursor, depth=depth + 1)
    elif token.text == "(":
        cursor.take()
        _pass_expression(cursor, depth=depth + 1)
        _pass_closing(cursor, token)
    else:
        _pass_comparison(cursor)


def _pass_comparison(cursor: TokenCursor) -> None:
    field = cursor.peek()
    if field.kind != "word" or field.word in CLAUSES | JOINS:
        raise _unexpected(cursor, field)
    cursor.take()
    if cursor.peek().text == "(":
        _pass_list(cursor, depth=0)
    operator = cursor.take()
    if operator.word == "NOT" and cursor.peek().word == "IN":
        operator = cursor.take()
    if operator.word in LIST_OPERATORS:
        _pass_list(cursor, depth=0)
    elif operator.text in COMPARISONS or operator.word == "LIKE":
        _pass_value(cursor)
    elif operator.word in CLAUSES or operator.text == ";":
        raise _unexpected(cursor, operator)
    else:
        what = f"an operator is expected after {field.display}, not {operator.display}"
        raise cursor.refuse(operator, what, "Compare the column with =, !=, <, <=, >, >=, LIKE, IN or NOT IN.")


def _pass_list(cursor: TokenCursor, *, depth: int) -> None:
    """Pass values in parentheses: those of IN, or the arguments of a function."""
    opening = cursor.take()
    if opening.text != "(" or depth > MAX_DEPTH:
        raise cursor.refuse(opening, f"a list is expected here, not {opening.display}", "Write the values as (…, …).")
    _pass_argument(cursor, depth=depth)
    while cursor.peek().text == ",":
        cursor.take()
        _pass_argument(cursor, depth=depth)
    _pass_closing(cursor, opening)


def _pass_argument(cursor: TokenCursor, *, depth: int) -> None:
    _pass_value(cursor)
    if cursor.peek().text == "(":
        _pass_list(cursor, depth=depth + 1)


def _pass_value(cursor: TokenCursor) -> None:
    value = cursor.peek()
    is_number = value.kind == "number" and _NUMBER.fullmatch(value.text) is not None
    is_word = value.kind == "word" and value.word not in CLAUSES | JOINS | {"NOT"}
    if value.word in CLAUSES or value.text == ";":
        raise _unexpected(cursor, value)
    if not (is_number or is_word or value.kind == "string"):
        remedy = "Write a string in quotes, a number, a date, a date and time with its offset, true, false or null."
        raise cursor.refuse(value, f"a value is expected here, not {value.display}", remedy)
    cursor.take()


def _pass_closing(cursor: TokenCursor, opening: Token) -> None:
    token = cursor.peek()
    if token.kind == "end":
        raise cursor.refuse(opening, "a '(' of the WHERE is never closed", "Balance the parentheses of the WHERE.")
    if token.text != ")":
        raise _unexpected(cursor, token)
    cursor.take()


def _unexpected(cursor: TokenCursor, token: Token) -> SpecError:
    """Return the error for a token that cannot be at this place in a condition."""
    if token.text == ")":
        return cursor.refuse(token, "a ')' without a '('", "Balance the parentheses of the WHERE.")
    if token.word in CLAUSES or token.text == ";":
        remedy = f"Remove {token.text}: a spec's WHERE is one condition without subqueries or further clauses."
        return cursor.refuse(token, f"{token.text} inside the WHERE", remedy)
    remedy = "Write comparisons such as Type = 'Customer', joined by AND or by OR."
    return cursor.refuse(token, f"a condition is expected here, not {token.display}", remedy)
