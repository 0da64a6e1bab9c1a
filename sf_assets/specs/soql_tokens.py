"""The tokens of a `.soql` file, each with its line. Characters that SOQL does not allow are refused here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sf_assets.errors import SpecError

_TOKEN = re.compile(
    r"""
    (?P<blank>[ \t\r\n]+)
  | (?P<word>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*(?::\d+)?)         # Name, Owner.Name, LAST_N_DAYS:30
  | (?P<string>'(?:[^'\\\r\n]|\\[^\r\n])*')
  | (?P<comment>--|//|/\*|\#)
  | (?P<number>[+-]?\d[\w.:]*(?:[+-]\d[\w.:]*)*)             # 5, -1.5, 2026-11-24, 2026-11-24T08:00:00+01:00
  | (?P<mark>[(),;]|[<>!]=|<>|[=<>])
    """,
    re.VERBOSE | re.ASCII,
)


@dataclass(frozen=True)
class Token:
    """A word, string, number or mark of a file; `start` is its offset in the text."""

    kind: str
    text: str
    start: int
    line: int

    @property
    def word(self) -> str:
        """The text of a word in upper case, for comparison with keywords; otherwise empty."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def display(self) -> str:
        """The text for a message, shortened if it is long."""
        if self.kind == "end":
            return "the end of the file"
        return self.text if len(self.text) <= 60 else f"{self.text[:60]}…"


def tokens(text: str, *, path: str) -> tuple[Token, ...]:
    """Split a file into tokens; the last one has the kind `end`.

    Raises: SpecError for comments, strings without an end on their line, and characters that SOQL does not allow.
    """
    result: list[Token] = []
    at, line = 0, 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup == "comment":
            raise _refusal(text[at : at + 2], path, line)
        if match.lastgroup != "blank":
            result.append(Token(str(match.lastgroup), match[0], at, line))
        line += match[0].count("\n")
        at = match.end()
    return (*result, Token("end", "", at, result[-1].line if result else 1))


class TokenCursor:
    """The tokens of one file and a position in them; it also makes the errors with file and line."""

    def __init__(self, sequence: Sequence[Token], path: str) -> None:
        self.path = path
        self._tokens = sequence
        self._at = 0

    def peek(self, ahead: int = 0) -> Token:
        """Return a token without passing it; after the last one, `end`."""
        return self._tokens[min(self._at + ahead, len(self._tokens) - 1)]

    def take(self) -> Token:
        """Return the next token and pass it."""
        token = self.peek()
        self._at += 1
        return token

    def expect(self, keyword: str, remedy: str) -> None:
        """Pass a keyword. Raises: SpecError if another token is next."""
        token = self.take()
        if token.word != keyword:
            raise self.refuse(token, f"{keyword} is expected here, not {token.display}", remedy)

    def refuse(self, token: Token, what: str, remedy: str) -> SpecError:
        """Return the error for a token, with file and line."""
        where = f"{self.path}:{token.line}"
        return SpecError(f"{where}: {what}.", remedy=remedy, path=self.path, line=token.line)


def _refusal(piece: str, path: str, line: int) -> SpecError:
    what, remedy = _reason(piece)
    return SpecError(f"{path}:{line}: {what}.", remedy=remedy, path=path, line=line)


def _reason(piece: str) -> tuple[str, str]:
    if piece in {"--", "//", "/*"} or piece.startswith("#"):
        return "a comment", "Remove the comment: SOQL has no comments."
    if piece.startswith("'"):
        return "a string does not end on its line", "Close the string with ', and write a line break in it as \\n."
    if piece.startswith("\ufeff"):
        return "the file begins with a byte order mark", "Save the file as UTF-8 without a byte order mark (BOM)."
    return f"the character {piece[0]!r} (U+{ord(piece[0]):04X})", "Remove the character: SOQL does not allow it here."
