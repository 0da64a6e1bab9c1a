"""Secrets in every encoding, an org that quotes them, and everything that a run leaves on disk."""

import base64
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

import polars as pl

from sf_assets.devorg import Fault
from sf_assets.devorg.org.sessions import Sessions


class KnownSessions(Sessions):
    """Remembers every token that it has given out."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens: list[str] = []

    def open(self, org_id, now):
        self.tokens.append(super().open(org_id, now))
        return self.tokens[-1]


@dataclass(frozen=True, eq=False)
class Echo(Fault):
    """A refusal that quotes what it was sent."""

    answer: Callable[[], object] = str

    def response_body(self) -> bytes:
        answer = self.answer()
        return answer if isinstance(answer, bytes) else json.dumps(answer).encode()


def every_letter(text, form):
    return "".join(form.format(ord(letter)) for letter in text)


def every_second_letter(text, form):
    return "".join(form.format(ord(letter)) if n % 2 else letter for n, letter in enumerate(text))


ENCODINGS = {
    "as it is": str,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON, each letter escaped": lambda text: every_letter(text, "\\u{:04x}"),
    "JSON, capital digits": lambda text: every_letter(text, "\\u{:04X}"),
    "JSON, every second letter": lambda text: every_second_letter(text, "\\u{:04x}"),
    "JSON in JSON": lambda text: json.dumps(json.dumps(every_second_letter(text, "\\u{:04x}"))),
    "slashes escaped": lambda text: text.replace("/", "\\/"),
    "URL": quote,
    "URL, nothing safe": lambda text: quote(text, safe=""),
    "URL of a form": quote_plus,
    "URL, each letter": lambda text: every_letter(text, "%{:02x}"),
    "URL, every second letter": lambda text: every_second_letter(text, "%{:02X}"),
    "URL twice": lambda text: quote(quote(text, safe=""), safe=""),
    "Python's repr": repr,
    "Python's repr of bytes": lambda text: repr(text.encode()),
    "HTML": lambda text: every_second_letter(text, "&#{};"),
    "HTML, hexadecimal": lambda text: every_letter(text, "&#x{:x};"),
    "in lines": lambda text: "\n".join(text[n : n + 10] for n in range(0, len(text), 10)),
    **{
        f"base64 after {n} bytes": lambda text, n=n: base64.b64encode(b"abc"[:n] + text.encode() + b"z" * n).decode()
        for n in range(3)
    },
    **{
        f"base64url after {n} bytes": lambda text, n=n: base64.urlsafe_b64encode(b"abc"[:n] + text.encode()).decode()
        for n in range(3)
    },
    "base64 in lines": lambda text: base64.encodebytes(text.encode()).decode(),
    "base64 in JSON": lambda text: base64.b64encode(text.encode()).decode().replace("/", "\\/"),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, capital digits": lambda text: text.encode().hex().upper(),
    "upper case": str.upper,
    "lower case": str.lower,
    "upper case in a URL": lambda text: quote(text.upper(), safe=""),
    "URL in JSON": lambda text: every_letter(every_letter(text, "%{:02x}"), "\\u{:04x}"),
    "JSON in a URL": lambda text: quote(every_letter(text, "\\u{:04x}"), safe=""),
    "base64 in a URL": lambda text: quote(base64.b64encode(text.encode()).decode(), safe=""),
}


def is_visible(secret, text, encode):
    """Whether a stretch of the encoded secret of twelve letters' length is left in the text."""
    secret_text = encode(secret)
    length = max(12, len(secret_text) // 3)
    middle = (len(secret_text) - length) // 2
    return secret_text[middle : middle + length] in text


def rows_of(database: Path) -> bytes:
    """Every value of a SQLite file: a long one lies in pieces in the file itself."""
    values = []
    with closing(sqlite3.connect(database)) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                values += [value if isinstance(value, bytes) else str(value).encode() for value in row]
    return b"\n".join(values)


def files_of(folder: Path) -> Iterator[tuple[str, bytes]]:
    """What is in the files of a folder: their bytes, and what a database or a compressed table says."""
    for path in filter(Path.is_file, folder.rglob("*")):
        name, content = str(path.relative_to(folder)), path.read_bytes()
        yield name, content
        if content.startswith(b"SQLite format 3"):
            yield f"rows of {name}", rows_of(path)
        if path.suffix == ".parquet":
            yield f"rows of {name}", pl.read_parquet(path).write_ndjson().encode()
