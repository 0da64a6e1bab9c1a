"""A WHERE clause as a function of a row's cells. Null equals only null and is never less or more."""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from sf_assets.devorg.api_errors import Refusal, field_refused
from sf_assets.devorg.soql.literals import literal, literal_kind, sort_value
from sf_assets.devorg.soql.syntax import And, Compare, Condition, Not
from sf_assets.devorg.store.row_codec import NULL
from sf_assets.devorg.store.schema import FieldSchema

Test = Callable[[list[bytes]], bool]
ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def matcher(condition: Condition, fields: Mapping[str, FieldSchema], places: Mapping[str, int], *, soql: str) -> Test:
    """Return the condition as a function of a row's cells.

    `fields` are by lower-case name, `places` by name.
    """
    if isinstance(condition, Compare):
        field = fields[condition.name.lower()]
        return _comparison(condition, field, places[field.name], soql=soql)
    if isinstance(condition, Not):
        inner = matcher(condition.part, fields, places, soql=soql)
        return lambda parts: not inner(parts)
    tests = [matcher(part, fields, places, soql=soql) for part in condition.parts]
    every = all if isinstance(condition, And) else any
    return lambda parts: every(test(parts) for test in tests)


def _comparison(condition: Compare, field: FieldSchema, place: int, *, soql: str) -> Test:
    if condition.operator == "LIKE":
        return _like(condition, field, place, soql=soql)
    values = [literal(value, field, soql=soql) for value in condition.values]
    if condition.operator in ORDERED:
        return _ordered(condition.operator, values[0], field=field, place=place)
    wanted, read = frozenset(values), sort_value(field)
    negated = condition.operator in ("!=", "NOT IN")
    null = (None in wanted) != negated

    def test(parts: list[bytes]) -> bool:
        part = parts[place]
        return null if part == NULL else (read(part) in wanted) != negated

    return test


def _ordered(sign: str, bound: Any, *, field: FieldSchema, place: int) -> Test:
    read, holds = sort_value(field), ORDERED[sign]
    if bound is None:
        return lambda parts: False
    return lambda parts: parts[place] != NULL and holds(read(parts[place]), bound)


def _like(condition: Compare, field: FieldSchema, place: int, *, soql: str) -> Test:
    if literal_kind(field) != "string" or field.type in ("id", "reference"):
        raise invalid_operator(condition, field, soql=soql)
    read = sort_value(field)
    pattern = like_pattern(condition.values[0].text.casefold())
    return lambda parts: parts[place] != NULL and pattern.fullmatch(read(parts[place])) is not None


def like_pattern(text: str) -> re.Pattern[str]:
    """Return the pattern of a LIKE text: `%` is any text, `_` one character."""
    pieces = {"%": ".*", "_": "."}
    return re.compile("".join(pieces.get(letter, re.escape(letter)) for letter in text), re.DOTALL)


def invalid_operator(condition: Compare, field: FieldSchema, *, soql: str) -> Refusal:
    refusal = field_refused(soql, condition.at, f"invalid operator on {field.type} field")
    return Refusal(400, "INVALID_QUERY_FILTER_OPERATOR", refusal.message)
