"""Tokens of a statement. Unknown characters are MALFORMED_QUERY, as in a real org."""

import re
from dataclasses import dataclass

from sf_assets.devorg.api_errors import malformed, unexpected_token

PATTERN = re.compile(
    r"""(?P<space>\s+)
      | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
      | (?P<date>\d{4}-\d\d-\d\d)
      | (?P<number>[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
      | (?P<string>'(?:[^'\\]|\\.)*')
      | (?P<name>[A-Za-z_][A-Za-z0-9_.]*(?::\d+)?)
      | (?P<mark><=|>=|!=|<>|[=<>(),])""",
    re.VERBOSE | re.DOTALL,
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


@dataclass(frozen=True)
class Token:
    """A token and its place.

    `kind` is a group of the pattern or `end`; `word` is a name or mark in upper case, else empty.
    """

    kind: str
    text: str
    at: int
    word: str = ""


def tokens(soql: str) -> list[Token]:
    """Return the statement's tokens, ending with one of kind `end`."""
    result, at = [], 0
    while at < len(soql):
        match = PATTERN.match(soql, at)
        if match is None:
            raise _stray(soql, at)
        kind, text = str(match.lastgroup), match.group()
        if kind != "space":
            result.append(Token(kind, text, at, text.upper() if kind in ("name", "mark") else ""))
        at = match.end()
    return [*result, Token("end", "", len(soql))]


def _stray(soql: str, at: int) -> Exception:
    if soql[at] == "'":
        return malformed("unexpected end of string: a quote is not closed")
    return unexpected_token(soql, at, soql[at])


def unescaped(literal: str) -> str:
    """Return the text of a quoted literal."""
    return re.sub(r"\\(.)", lambda match: ESCAPES.get(match[1], match[1]), literal[1:-1], flags=re.DOTALL)
