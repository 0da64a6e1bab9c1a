"""The SOQL parser of the practice org. It refuses by name what it does not support."""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from sf_assets.devorg.api_errors import Refusal, malformed, unexpected_token, unsupported
from sf_assets.devorg.soql.date_functions import DATE_FUNCTIONS
from sf_assets.devorg.soql.syntax import (
    Aggregate,
    And,
    Column,
    Compare,
    Condition,
    Fields,
    Item,
    Not,
    Or,
    Order,
    Select,
    Value,
)
from sf_assets.devorg.soql.tokens import Token, tokens, unescaped

T = TypeVar("T")
LONGEST = 100_000
GREATEST_OFFSET = 2_000
AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "MAX", "MIN", "SUM", "AVG"})
FIELD_GROUPS = frozenset({"ALL", "CUSTOM", "STANDARD"})
CLAUSES = frozenset(
    {"FROM", "WHERE", "GROUP", "ORDER", "LIMIT", "OFFSET", "HAVING", "WITH", "FOR", "USING", "ALL", "TYPEOF"}
)
UNSUPPORTED_CLAUSES = {
    "WITH": "WITH",
    "HAVING": "HAVING",
    "FOR": "FOR VIEW, FOR REFERENCE and FOR UPDATE",
    "USING": "USING SCOPE",
    "ALL": "ALL ROWS",
    "TYPEOF": "TYPEOF",
    "UPDATE": "UPDATE TRACKING",
}
COMPARISONS = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})
WORDS = {"NULL": "null", "TRUE": "boolean", "FALSE": "boolean"}


@lru_cache(maxsize=2_048)  # syncs repeat their statements, and a statement is immutable
def parse_soql(text: str) -> Select:
    """Return the statement.

    Raises:
        Refusal: The text is not a statement, in Salesforce's words.
    """
    if len(text) > LONGEST:
        raise malformed(f"SOQL statements cannot be longer than {LONGEST} characters.")
    return _Reader(text).select()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.at = 0

    # -- moving -------------------------------------------------------------------------------------------------

    @property
    def here(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def accept(self, *order_terms: str) -> bool:
        """Step over these words if they come next."""
        if tuple(token.word for token in self.tokens[self.at : self.at + len(order_terms)]) != order_terms:
            return False
        self.at += len(order_terms)
        return True

    def expect(self, *order_terms: str) -> None:
        for word in order_terms:
            if not self.accept(word):
                raise self.unexpected()

    def unexpected(self) -> Refusal:
        clause = UNSUPPORTED_CLAUSES.get(self.here.word)
        return unsupported(clause) if clause else unexpected_token(self.text, self.here.at, self.here.text)

    def name(self) -> Token:
        if self.here.kind != "name" or self.here.word in CLAUSES:
            raise self.unexpected()
        token = self.take()
        if "." in token.text:
            raise unsupported(f"columns of a related record ('{token.text}')")
        return token

    def listed(self, one: Callable[[], T]) -> tuple[T, ...]:
        items = [one()]
        while self.accept(","):
            items.append(one())
        return tuple(items)

    # -- clauses ------------------------------------------------------------------------------------------------

    def select(self) -> Select:
        self.expect("SELECT")
        items = self.listed(self.item)
        self.expect("FROM")
        sobject = self.object_name()
        where = self.condition() if self.accept("WHERE") else None
        group_by = self.listed(self.group) if self.accept("GROUP", "BY") else ()
        order_by = self.listed(self.order) if self.accept("ORDER", "BY") else ()
        limit = self.whole_number() if self.accept("LIMIT") else None
        offset = self.offset() if self.accept("OFFSET") else 0
        if self.here.kind != "end":
            raise self.unexpected()
        return Select(self.text, items, sobject.text, sobject.at, where, group_by, order_by, limit, offset)

    def item(self) -> Item:
        if self.here.word == "(":
            raise unsupported("subqueries")
        token = self.name()
        if not self.accept("("):
            return Column(token.text, token.at, self.alias())
        if token.word == "FIELDS":
            return self.fields(token)
        if token.word in DATE_FUNCTIONS:
            return self.date_function(token)
        return self.aggregate(token)

    def date_function(self, token: Token) -> Column:
        """Read the rest of a date function, after its opening parenthesis."""
        inner = self.name()
        self.expect(")")
        return Column(inner.text, inner.at, self.alias(), token.word)

    def alias(self) -> str | None:
        if self.here.kind == "name" and self.here.word not in CLAUSES:
            return self.take().text
        return None

    def fields(self, token: Token) -> Fields:
        which = self.take()
        if which.word not in FIELD_GROUPS:
            raise unexpected_token(self.text, which.at, which.text)
        self.expect(")")
        return Fields(which.word, token.at)

    def aggregate(self, token: Token) -> Aggregate:
        if token.word not in AGGREGATES:
            raise unsupported(f"the function {token.text}()")
        if token.word == "COUNT" and self.accept(")"):
            return Aggregate("COUNT", "", token.at, self.alias())
        inner = self.name()
        self.expect(")")
        return Aggregate(token.word, inner.text, inner.at, self.alias())

    def object_name(self) -> Token:
        """Read the object after FROM. `Order` and `Group` are objects and keywords."""
        if self.here.kind != "name":
            raise self.unexpected()
        token = self.take()
        if self.here.word == ",":
            raise unsupported("several objects in FROM")
        if self.alias() is not None:
            raise unsupported("an alias of the object in FROM")
        return token

    def group(self) -> Column:
        token = self.name()
        if not self.accept("("):
            return Column(token.text, token.at)
        if token.word not in DATE_FUNCTIONS:
            raise unsupported(f"GROUP BY {token.text}()")
        return self.date_function(token)

    def order(self) -> Order:
        token, function = self.name(), ""
        if self.accept("("):
            token, function = self.order_function(token)
        descending = not self.accept("ASC") and self.accept("DESC")
        nulls_last = not self.accept("NULLS", "FIRST") and self.accept("NULLS", "LAST")
        return Order(token.text, token.at, descending=descending, nulls_last=nulls_last, function=function)

    def order_function(self, token: Token) -> tuple[Token, str]:
        """Read the field of a date function or of an aggregate in ORDER BY."""
        if token.word not in DATE_FUNCTIONS and token.word not in AGGREGATES:
            raise unsupported(f"ORDER BY {token.text}()")
        inner = self.name()
        self.expect(")")
        return inner, token.word

    def whole_number(self) -> int:
        token = self.take()
        if token.kind != "number" or not token.text.isdigit():
            raise unexpected_token(self.text, token.at, token.text)
        return int(token.text)

    def offset(self) -> int:
        rows = self.whole_number()
        if rows > GREATEST_OFFSET:
            raise Refusal(400, "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {GREATEST_OFFSET}")
        return rows

    # -- conditions ---------------------------------------------------------------------------------------------

    def condition(self) -> Condition:
        """Read terms joined by AND or by OR.

        Both at one level are refused, as Salesforce does without parentheses.
        """
        parts, joined = [self.term()], self.here.word
        if joined not in ("AND", "OR"):
            return parts[0]
        while self.accept(joined):
            parts.append(self.term())
        return And(tuple(parts)) if joined == "AND" else Or(tuple(parts))

    def term(self) -> Condition:
        if self.accept("NOT"):
            return Not(self.term())
        if self.accept("("):
            inner = self.condition()
            self.expect(")")
            return inner
        return self.comparison()

    def comparison(self) -> Compare:
        token = self.name()
        if self.here.word == "(":
            raise unsupported(f"the function {token.text}() in WHERE")
        operator = self.operator()
        if operator in ("IN", "NOT IN"):
            return Compare(token.text, operator, self.several(), token.at)
        return Compare(token.text, operator, (self.value(),), token.at)

    def operator(self) -> str:
        if self.accept("NOT", "IN"):
            return "NOT IN"
        if self.here.word in ("INCLUDES", "EXCLUDES"):
            raise unsupported(self.here.word)
        if self.here.word in COMPARISONS or self.here.word in ("LIKE", "IN"):
            word = self.take().word
            return "!=" if word == "<>" else word
        raise self.unexpected()

    def several(self) -> tuple[Value, ...]:
        self.expect("(")
        if self.here.word == "SELECT":
            raise unsupported("semi-joins")
        values = self.listed(self.value)
        self.expect(")")
        return values

    def value(self) -> Value:
        token = self.take()
        if token.kind in ("number", "datetime", "date"):
            return Value(token.kind, token.text, token.at)  # type: ignore[arg-type]  # these kinds are ValueKinds
        if token.kind == "string":
            return Value("string", unescaped(token.text), token.at)
        if token.word in WORDS:
            return Value(WORDS[token.word], token.text.lower(), token.at)  # type: ignore[arg-type]  # as above
        if token.kind == "name" and token.word not in CLAUSES:
            raise unsupported(f"the date literal or function {token.text}")
        raise unexpected_token(self.text, token.at, token.text)
