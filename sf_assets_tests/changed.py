"""Copies of nested frozen values with some parts changed."""

from dataclasses import replace
from typing import Any, TypeVar

T = TypeVar("T")


def changed(value: T, **changes: Any) -> T:
    """Return a copy in which `group__name=...` replaces an attribute of an attribute."""
    for path, change in changes.items():
        name, _, rest = path.partition("__")
        new = changed(getattr(value, name), **{rest: change}) if rest else change
        value = replace(value, **{name: new})  # type: ignore[type-var]
    return value
