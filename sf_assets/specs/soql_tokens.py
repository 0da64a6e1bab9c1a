"""The words and marks of a `.soql` file, each with its line; what no SOQL console takes is refused here."""

import re
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
    """A word, string, number or mark of a file; `start` is its place in the text."""

    kind: str
    text: str
    start: int
    line: int

    @property
    def word(self) -> str:
        """The text in upper case when it is a word, for comparing with keywords; otherwise empty."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def shown(self) -> str:
        """The text as a message shows it."""
        return "the end of the file" if self.kind == "end" else self.text


def tokens(text: str, *, path: str) -> tuple[Token, ...]:
    """Split a file into tokens; the last one is of kind `end` and has no text.

    Raises SpecError for comments, strings that do not end on their line, and characters that SOQL does not know.
    """
    found: list[Token] = []
    at, line = 0, 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup == "comment":
            raise _refusal(text[at : at + 2], path, line)
        if match.lastgroup != "blank":
            found.append(Token(str(match.lastgroup), match[0], at, line))
        line += match[0].count("\n")
        at = match.end()
    return (*found, Token("end", "", at, found[-1].line if found else 1))


def _refusal(seen: str, path: str, line: int) -> SpecError:
    what, remedy = _reason(seen)
    return SpecError(f"{path}:{line}: {what}.", remedy=remedy, path=path, line=line)


def _reason(seen: str) -> tuple[str, str]:
    if seen in {"--", "//", "/*"} or seen.startswith("#"):
        return "a comment", "Take the comment out: no SOQL console takes one."
    if seen.startswith("'"):
        return "a string does not end on its line", "Close the string with ', and write a line break in it as \\n."
    if seen.startswith("\ufeff"):
        return "the file begins with a byte order mark", "Save the file as UTF-8 without a byte order mark (BOM)."
    return f"the character {seen[0]!r} (U+{ord(seen[0]):04X})", "Take the character out: SOQL does not know it here."
