"""A statement as an org or gateway understands it that ignores some clauses and says nothing."""

from collections.abc import Collection
from dataclasses import replace
from typing import Literal

from sf_assets.devorg.soql.syntax import And, Compare, Condition, Not, Or, Select

Clause = Literal["lower_bounds", "upper_bounds", "limit"]
OPERATORS: dict[str, frozenset[str]] = {"lower_bounds": frozenset({">", ">="}), "upper_bounds": frozenset({"<", "<="})}


def without_clauses(select: Select, ignored: Collection[str]) -> Select:
    """Return the statement without the clauses that are ignored; its text stays."""
    if not ignored:
        return select
    operators = frozenset[str]().union(*(OPERATORS.get(clause, frozenset()) for clause in ignored))
    return replace(
        select,
        where=_without(select.where, operators),
        limit=None if "limit" in ignored else select.limit,
    )


def _without(condition: Condition | None, operators: Collection[str]) -> Condition | None:
    """Return the condition with each comparison by these operators true; None: always true."""
    if condition is None or isinstance(condition, Compare):
        return None if condition is None or condition.operator in operators else condition
    if isinstance(condition, Not):
        part = _without(condition.part, operators)
        return None if part is None else Not(part)
    parts = [_without(part, operators) for part in condition.parts]
    terms = tuple(part for part in parts if part is not None)
    if isinstance(condition, Or):
        return Or(terms) if len(terms) == len(parts) else None
    return None if not terms else terms[0] if len(terms) == 1 else And(terms)
