"""Removes secrets and control characters from every text that leaves the process: errors, logs, metadata.

A secret is found in any mixture of the escapes of JSON, URLs, Python and HTML, in base64 and hexadecimal digits, in
upper and lower case, and in pieces of 16 characters or more, as a cut answer or a wrapped key holds them.
"""

import base64
import html
import logging
import re
import string
import threading
import unicodedata
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

LONGEST_MESSAGE = 10_000
"""Characters of a message that are kept."""
MOST_SECRETS = 64
"""Secrets that are remembered; the oldest go first (tokens and assertions of former logins)."""
SHORTEST_SECRET = 6
PIECE = 16
"""Length of a piece of a secret that is found in a text."""
GRAM = PIECE // 2
REPLACEMENT = "…"
_ESCAPE = re.compile(
    r"\\u\{?[0-9a-fA-F]{4}\}?|\\x[0-9a-fA-F]{2}|\\[nrt/\"'\\]|(?:%[0-9a-fA-F]{2})+"
    r"|&#\d{2,5};|&#[xX][0-9a-fA-F]{2,4};|&\w{2,6};"
)
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t"}
_DECODINGS = 6
"""Escapes inside escapes that are undone."""


class _Secrets:
    """The secrets of this process, and the pieces to look for in canonical form."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pieces: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._by_length: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self._grams: Counter[str] = Counter()

    def add(self, secret: str) -> None:
        """Remember a secret; forget the oldest one where there are too many."""
        with self._lock:
            if secret in self._pieces:
                self._pieces.move_to_end(secret)
                return
            self._pieces[secret] = _pieces_of(secret)
            for piece in self._pieces[secret]:
                self._by_length[len(piece)][piece] += 1
            self._grams.update(_grams_of(secret))
            if len(self._pieces) > MOST_SECRETS:
                self._forget(*self._pieces.popitem(last=False))

    def _forget(self, secret: str, pieces: frozenset[str]) -> None:
        for piece in pieces:
            _discount(self._by_length[len(piece)], [piece])
        _discount(self._grams, _grams_of(secret))

    def hide(self, canonical: str, spans: list[tuple[int, int]], hidden: bytearray) -> None:
        """Mark the spans of all pieces in a canonical text."""
        with self._lock:
            for length, pieces in self._by_length.items():
                for start in range(len(canonical) - length + 1):
                    if canonical[start : start + length] in pieces:
                        first, last = spans[start][0], spans[start + length - 1][1]
                        hidden[first:last] = b"\x01" * (last - first)

    def are_in(self, canonical: str) -> bool:
        """Return whether a piece of a secret is in a canonical text."""
        with self._lock:
            return self._has_gram(canonical) or any(
                any(piece in canonical for piece in pieces)
                for length, pieces in self._by_length.items()
                if length != PIECE
            )

    def _has_gram(self, canonical: str) -> bool:
        """Return whether a stretch of GRAM letters is in a secret.

        One stretch after the other suffices: each piece of PIECE letters has a whole one."""
        return not self._grams.keys().isdisjoint(canonical[n : n + GRAM] for n in range(0, len(canonical), GRAM))

    def __bool__(self) -> bool:
        return bool(self._pieces)


_SECRETS = _Secrets()


def protect(*secrets: str) -> None:
    """Remove these values from every text from now on."""
    for secret in secrets:
        if len(secret.strip()) >= SHORTEST_SECRET:
            _SECRETS.add(secret)


def redact(text: str, *, longest: int = LONGEST_MESSAGE, keep_lines: bool = False) -> str:
    """Return the text without secrets, with control characters escaped, and cut to `longest` characters."""
    visible = hide_secrets(text[: 4 * longest])
    start = visible[: longest + 1]
    escaped = start if start.isprintable() else "".join(_escaped(letter, keep_lines=keep_lines) for letter in start)
    if len(escaped) <= longest and len(text) <= 4 * longest:
        return escaped
    return f"{escaped[:longest]}… (cut, {len(text):,} characters)"


def redact_value(value: object) -> object:
    """Return a value of an error or of metadata with each text in it redacted."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, tuple | list):
        return type(value)(redact_value(item) for item in value)
    if isinstance(value, dict):
        return {redact_value(key): redact_value(item) for key, item in value.items()}
    return value


class RedactingFilter(logging.Filter):
    """A filter that redacts the finished message of each record, and its traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record; every record passes."""
        record.msg, record.args = redact(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text, longest=10 * LONGEST_MESSAGE, keep_lines=True)
        return True


def get_logger(name: str) -> logging.Logger:
    """Return the logger of a module; its records are redacted."""
    logger = logging.getLogger(name)
    if not any(isinstance(one, RedactingFilter) for one in logger.filters):
        logger.addFilter(RedactingFilter())
    return logger


def _escaped(letter: str, *, keep_lines: bool) -> str:
    """Return a printable form of the letter.

    Control characters are escaped, and those that change the direction or the line of a text."""
    if letter.isprintable() or (keep_lines and letter in "\n\t"):
        return letter
    is_space = unicodedata.category(letter) == "Zs"
    return letter if is_space else letter.encode("unicode_escape").decode()


def hide_secrets(text: str) -> str:
    """Return the text without secrets. Nothing else is changed: JSON stays JSON."""
    if not _SECRETS or not _SECRETS.are_in(_letters(text)):
        return text
    canonical, spans = _canonical(text)
    hidden = bytearray(len(text))
    _SECRETS.hide(canonical, spans, hidden)
    return _replaced(text, hidden)


def _replaced(text: str, hidden: bytearray) -> str:
    """Return the text with each hidden stretch replaced by one ellipsis."""
    parts, end = [], 0
    for match in re.finditer(b"\x01+", hidden):
        parts += [text[end : match.start()], REPLACEMENT]
        end = match.end()
    return "".join([*parts, text[end:]])


def _pieces_of(secret: str) -> frozenset[str]:
    """Return the pieces of each form of a secret, in canonical form."""
    return frozenset(piece for form in _forms_of(secret) for piece in _split(form, is_name="@" in secret))


def _forms_of(secret: str) -> set[str]:
    """Return the secret, its hexadecimal digits and its base64 in canonical form.

    Base64 has three forms, one for each offset.
    """
    forms = {_plain(secret), secret.encode().hex()}
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + secret.encode()).decode().rstrip("=")
        forms.add(_plain(encoded[(0, 2, 3)[offset] : -1]))
    return forms


def _split(form: str, *, is_name: bool) -> list[str]:
    """Return the pieces of one form of a secret.

    A username is one piece: its parts are ordinary words."""
    if len(form) < SHORTEST_SECRET:
        return []
    if is_name or len(form) <= PIECE:
        return [form]
    return [form[start : start + PIECE] for start in range(len(form) - PIECE + 1)]


def _grams_of(secret: str) -> frozenset[str]:
    """Return each stretch of GRAM letters of a secret that has pieces of PIECE letters."""
    forms = [form for form in _forms_of(secret) if len(form) >= PIECE]
    return frozenset(form[start : start + GRAM] for form in forms for start in range(len(form) - GRAM + 1))


def _discount(counts: Counter[str], keys: Iterable[str]) -> None:
    for key in keys:
        counts[key] -= 1
        if not counts[key]:
            del counts[key]


def _plain(text: str) -> str:
    return "".join(text.translate(_ALPHABET).split())


_ALPHABET = str.maketrans(f"-_{string.ascii_uppercase}", f"+/{string.ascii_lowercase}")
"""base64url and base64 are one alphabet here, and so are upper and lower case."""


def _letters(text: str) -> str:
    """Return the text without escapes and blanks."""
    for _ in range(_DECODINGS):
        decoded = _ESCAPE.sub(lambda escape: _unescaped(escape[0]), text)
        if decoded == text:
            break
        text = decoded
    return _plain(text)


def _canonical(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the text without escapes and blanks, and the span of each letter."""
    letters, spans = text, [(n, n + 1) for n in range(len(text))]
    for _ in range(_DECODINGS):
        decoded = _decoded(letters, spans)
        if decoded is None:
            break
        letters, spans = decoded
    visible = [(letter, span) for letter, span in zip(letters, spans, strict=True) if not letter.isspace()]
    return "".join(letter for letter, _ in visible).translate(_ALPHABET), [span for _, span in visible]


def _decoded(letters: str, spans: list[tuple[int, int]]) -> tuple[str, list[tuple[int, int]]] | None:
    """Undo one level of escapes; return None where there are none."""
    parts: list[str] = []
    places: list[tuple[int, int]] = []
    end = 0
    for match in _ESCAPE.finditer(letters):
        parts.append(letters[end : match.start()])
        places += spans[end : match.start()]
        plain = _unescaped(match[0])
        parts.append(plain)
        places += [(spans[match.start()][0], spans[match.end() - 1][1])] * len(plain)
        end = match.end()
    if not parts:
        return None
    return "".join([*parts, letters[end:]]), places + spans[end:]


def _unescaped(escape: str) -> str:
    if escape.startswith("%"):
        return unquote_to_bytes(escape).decode("utf-8", "replace")
    if escape.startswith("&"):
        return html.unescape(escape)
    if escape[1] in "ux":
        return chr(int(escape[2:].strip("{}"), 16))
    return _SIMPLE.get(escape[1], escape[1])
