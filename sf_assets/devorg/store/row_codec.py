"""The stored form of a row: its values as JSON, one in each line, in the order of the object's fields.

A row of forty columns takes about its size on the wire. One split gives its columns, one formatting prints it. JSON
holds no raw line feed, so a line is a value.
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
    """Return the JSON of a field without a value: a boolean is never null."""
    return FALSE if field.type == "boolean" else NULL


def encode_row(values: list[Any], fractional: Iterable[int]) -> bytes:
    """Return the row's text.

    `fractional` are the places of fields with Java's form of a double.
    """
    for place in fractional:
        if values[place] is not None:
            values[place] = msgspec.Raw(wire_number(float(values[place])).encode())
    return _encoder.encode_lines(values)[:-1]


def encode_value(value: Any, field: FieldSchema) -> bytes:
    if value is None:
        return default_value(field)
    return encode_row([value], (0,) if field.type in FRACTIONAL else ())


def split_row(row: bytes, defaults: Sequence[bytes]) -> list[bytes]:
    """Return the row's cells; fields that are younger than the row have their default."""
    parts = row.split(b"\n")
    return parts if len(parts) == len(defaults) else parts + list(defaults[len(parts) :])


def column_picker(places: Sequence[int]) -> Callable[[list[bytes]], tuple[bytes, ...]]:
    """Return a function that takes these places out of a row, as a tuple."""
    if len(places) == 1:
        only = places[0]
        return lambda parts: (parts[only],)
    return itemgetter(*places) if places else lambda parts: ()
