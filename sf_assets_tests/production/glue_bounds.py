"""The bounds of Glue's service model (lengths and patterns), which botocore and moto do not enforce.

A real Glue answers ValidationException. Source: docs.aws.amazon.com/glue/latest/webapi/API_Column.html and the model
that botocore ships.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session

SURROGATES = r"\uD800\uDC00-\uDBFF\uDFFF"
"""How Java spells the characters above U+FFFF."""


def violations(action: str, body: dict[str, Any]) -> list[str]:
    """Return what a real Glue would refuse: path and rule."""
    shape = _model().operation_model(action).input_shape
    return [] if shape is None else list(_walk(shape, body, ""))


@cache
def _model() -> Any:
    return botocore.session.get_session().get_service_model("glue")


def _walk(shape: Any, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure":
        for name, inner in value.items():
            if name in shape.members:
                yield from _walk(shape.members[name], inner, f"{path}.{name}".lstrip("."))
    elif shape.type_name == "list":
        yield from _size(shape, len(value), path)
        for index, inner in enumerate(value):
            yield from _walk(shape.member, inner, f"{path}.{index}.member")
    elif shape.type_name == "map":
        for name, inner in value.items():
            yield from _walk(shape.key, name, f"{path}.key")
            yield from _walk(shape.value, inner, f"{path}.{name}")
    elif shape.type_name == "string":
        yield from _size(shape, len(value), path)
        yield from _pattern(shape, value, path)


def _size(shape: Any, size: int, path: str) -> Iterator[str]:
    if size > shape.metadata.get("max", size):
        yield f"{path}: length {size}, must be less than or equal to {shape.metadata['max']}"
    if size < shape.metadata.get("min", size):
        yield f"{path}: length {size}, must be greater than or equal to {shape.metadata['min']}"


def _pattern(shape: Any, value: str, path: str) -> Iterator[str]:
    pattern = shape.metadata.get("pattern")
    if pattern and not _compile(pattern).fullmatch(value):
        yield f"{path}: does not satisfy {pattern}"


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace(SURROGATES, r"\U00010000-\U0010FFFF"))
