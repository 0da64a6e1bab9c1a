"""The lines of a component's attributes in its YAML file: of a key, of an item of a list, of a value."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml


class YamlAttributes:
    """The node `attributes` of one document of a YAML file; without it every line is 0.

    `document` counts the documents of the file, from 0.
    """

    def __init__(self, file: Path, document: int = 0) -> None:
        self.file = file
        self._node = _child(_document(file, document), "attributes")

    def line(self, path: Sequence[str | int], message: str = "") -> int:
        """Return the line of what a message is about.

        That is the deepest key or item of `path`, or a value in it that the message quotes.
        """
        node, line = self._node, 0
        for key in path:
            position = _position(node, key)
            if not position:
                break
            line, node = position, _child(node, key)
        return _line_of_quoted(node, message) or line

    def repeated_key(self) -> tuple[str, int] | None:
        """Return the first key that a mapping has twice, and its line."""
        for node in _nodes(self._node):
            names = set[str]()
            for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
                if key.value in names:
                    return key.value, _line(key)
                names.add(str(key.value))
        return None


def _document(file: Path, number: int) -> yaml.Node | None:
    try:
        documents = list(yaml.compose_all(file.read_text(encoding="utf-8"), yaml.SafeLoader))
    except (OSError, ValueError, yaml.YAMLError):
        return None
    return documents[number] if number < len(documents) else None


def _child(node: yaml.Node | None, key: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int):
        return node.value[key] if key < len(node.value) else None
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for name, value in pairs if name.value == key), None)


def _position(node: yaml.Node | None, key: str | int) -> int:
    """Return the line of a key or an item, or 0."""
    if isinstance(key, int):
        return _line(item) if (item := _child(node, key)) else 0
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((_line(name) for name, _ in pairs if name.value == key), 0)


def _line_of_quoted(node: yaml.Node | None, message: str) -> int:
    """Return the line of the last value or key that the message quotes, or 0.

    A pair is quoted as `'key=value'`.
    """
    quoted = {word for text in re.findall(r"'([^']+)'", message) for word in (text, *text.split("="))}
    scalars = [each for each in _nodes(node) if isinstance(each, yaml.ScalarNode)]
    return next((_line(each) for each in reversed(scalars) if each.value in quoted), 0)


def _nodes(node: yaml.Node | None) -> Iterator[yaml.Node]:
    """Yield a node and all below it.

    Each comes once: an alias may name a node above it.
    """
    nodes, seen = [node] if node is not None else [], set[int]()
    while nodes:
        each = nodes.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        parts = each.value if isinstance(each, yaml.CollectionNode) else ()
        below = [part for pair in parts for part in (pair if isinstance(pair, tuple) else (pair,))]
        nodes += reversed(below)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
