"""How a row is kept: its values as JSON, one a line, in the order of the object's fields.

A row of forty columns then takes about its size on the wire, is cut in columns by one split, and is printed by one
formatting. JSON holds no raw line feed, so a line is a value.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from sf_assets.devorg.store.schema import FieldSchema, wire_number

FRACTIONAL = frozenset({"double", "currency", "percent"})
NULL, FALSE, TRUE = b"null", b"false", b"true"

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


def decode(part: bytes) -> Any:
    """Return the Python value of a cell's JSON, odd values of `set_raw` included."""
    try:
        return _decoder.decode(part)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return json.loads(part.decode("utf-8", "surrogatepass"))


def default_value(field: FieldSchema) -> bytes:
    """What a row holds in a field that nobody has set: a boolean is never null."""
    return FALSE if field.type == "boolean" else NULL


def encode_row(values: list[Any], fractional: Iterable[int]) -> bytes:
    """The row's text; `fractional` are the places of fields whose numbers are written as Java writes a double."""
    for place in fractional:
        if values[place] is not None:
            values[place] = msgspec.Raw(wire_number(float(values[place])).encode())
    return _encoder.encode_lines(values)[:-1]


def encode_value(value: Any, field: FieldSchema) -> bytes:
    if value is None:
        return default_value(field)
    return encode_row([value], (0,) if field.type in FRACTIONAL else ())


def split_row(row: bytes, defaults: Sequence[bytes]) -> list[bytes]:
    """The row's values, each as JSON; fields that were added after the row was written have their blank."""
    parts = row.split(b"\n")
    return parts if len(parts) == len(defaults) else parts + list(defaults[len(parts) :])


def column_picker(places: Sequence[int]) -> Callable[[list[bytes]], tuple[bytes, ...]]:
    """A function that takes these places out of a cut row, always as a tuple."""
    if len(places) == 1:
        only = places[0]
        return lambda parts: (parts[only],)
    return itemgetter(*places) if places else lambda parts: ()
