"""How we write, as far as a program can check it: words, docstrings, names, line lengths.

One part of the package: `pytest sf_assets_tests/test_wording.py -k <folder>`.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PLACES = sorted(
    f"sf_assets/{path.name}"
    for path in (ROOT / "sf_assets").iterdir()
    if path.suffix == ".py" or (path / "__init__.py").exists()
)
"""The parts of the package."""
PAGES = ("README.md", "CHANGELOG.md", "Makefile", "dbt", "deploy", "docs")
"""Text for people."""

UNWANTED = re.compile(
    r"\b(told|tells|whose|of which|anew|lies|stands|bears|for good|beside|behind|so many|nobody|somebody"
    r"|mend(s|ed|ing)?|dear(er|est)?|begun|befalls?|reckons?)\b"
    r"|(?<!there )\b(is|are|was|were) no (?!longer|more|less)\w+"
    r"|\bNone: none\b",
    re.IGNORECASE,
)
ALLOWED = {
    r"behind (a|an|the|your|its) ([\w-]+ )?(proxy|gateway|firewall|load balancer)": "the usual word for this network",
    r"as of which": "the time at which a statement is true",
    r"\blies\b(?= (?:ahead|between))": "geometry of a number line",
}
"""Phrase -> why an unwanted word is right in it."""
NAMES = {"told", "said", "found", "known", "begun", "kept", "shown", "asked"}
"""Participles that are not names of things."""

VERBS = frozenset((ROOT / "sf_assets_tests/imperatives.txt").read_text(encoding="utf-8").split())
"""First words of a function's docstring. Add a verb in its imperative form when it is missing."""
LINE = 100
SUMMARY_WORDS = 15
TEST_NAME = 70
"""Longest name of a test, in characters."""
# fmt: off
NOUNS = frozenset({"Record", "Page", "Plan", "State", "Count", "Place"})
"""Verbs that begin a noun phrase too."""
ACTS = frozenset({
    "acquire", "add", "append", "clear", "close", "commit", "connect", "delete", "discard", "execute", "extend",
    "insert", "mkdir", "open", "pop", "post", "put", "release", "remove", "rmdir", "save", "send", "setdefault",
    "sleep", "touch", "unlink", "update", "write", "write_bytes", "write_text",
})
# fmt: on
"""Methods that change something; `is_…`, `has_…`, `can_…` and properties call none of them on what they were given."""

places = pytest.mark.parametrize("place", PLACES)
pages = pytest.mark.parametrize("page", PAGES)


def sources(place: str) -> list[Path]:
    """Return a place's Python files."""
    path = ROOT / place
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def texts(page: str) -> list[Path]:
    """Return a page's files that people read."""
    path, kinds = ROOT / page, {".md", ".yml", ".yaml", ".sql", ".soql", ".sh", ".example", ""}
    files = [path] if path.is_file() else [file for file in sorted(path.rglob("*")) if file.is_file()]
    return [file for file in files if file.suffix in kinds]


def unwanted(text: str) -> list[str]:
    """Return the unwanted words of a text, without those that ALLOWED explains."""
    for phrase in ALLOWED:
        text = re.sub(phrase, " ", text, flags=re.IGNORECASE)
    return [match[0] for match in UNWANTED.finditer(" ".join(text.split()))]


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of each comment and of each string of several words."""
    source = path.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value.split()) > 1:
            yield node.lineno, node.value


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the functions and methods of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def is_property(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether a function is read as an attribute."""
    words = [ast.unparse(decorator) for decorator in function.decorator_list]
    return any("property" in word or word.endswith((".setter", "validator")) for word in words)


def where(path: Path, line: int, what: object) -> str:
    """Return a finding as an editor understands it."""
    return f"{path.relative_to(ROOT)}:{line}: {what}"


@places
def test_code_uses_none_of_the_unwanted_words(place: str) -> None:
    hits = [
        where(path, line, words) for path in sources(place) for line, text in prose(path) if (words := unwanted(text))
    ]

    assert not hits, "\n".join(["", *hits])


@places
def test_names_are_things_and_not_participles(place: str) -> None:
    hits = []
    for path in sources(place):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node, "arg", None) if isinstance(node, ast.arg) else getattr(node, "id", None)
            attribute = node.attr if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) else None
            hits += [where(path, node.lineno, word) for word in {name, attribute} & NAMES]

    assert not hits, "\n".join(["", *hits])


def summary_faults(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Yield what is wrong with a function's first docstring line."""
    text = ast.get_docstring(function)
    if text is None:
        return
    first = text.splitlines()[0]
    words = len(first.partition(". ")[0].split())
    if words > SUMMARY_WORDS:
        yield f"{words} words: {first}"
    if not first.rstrip("`").endswith((".", ":", "?")):
        yield f"the first line is not a sentence: {first}"
    if not is_property(function) and first.split()[0].rstrip(",") not in VERBS:
        yield f"begin with an imperative verb (sf_assets_tests/imperatives.txt): {first}"


@places
def test_docstrings_of_functions_begin_with_a_short_imperative(place: str) -> None:
    hits = [
        where(path, function.lineno, fault)
        for path in sources(place)
        for function in functions(path)
        for fault in summary_faults(function)
    ]

    assert not hits, "\n".join(["", *hits])


@places
def test_docstrings_of_classes_begin_with_a_short_noun_phrase(place: str) -> None:
    hits = []
    for path in sources(place):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and (text := ast.get_docstring(node)):
                first = text.splitlines()[0]
                words = first.split()
                verb = words[0].removesuffix("s") in VERBS - NOUNS and words[1:2] != ["of"]
                hits += [where(path, node.lineno, first)] * (verb or len(first.split()) > SUMMARY_WORDS + 5)

    assert not hits, "\n".join(["", *hits])


def actions(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Yield what a question does to its object or its arguments."""
    parameters = {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)}
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            yield f"assigns {ast.unparse(node)}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ACTS:
            owner = node.func.value
            while isinstance(owner, ast.Attribute | ast.Call | ast.Subscript):
                owner = owner.func if isinstance(owner, ast.Call) else owner.value
            if isinstance(owner, ast.Name) and owner.id in parameters:
                yield f"calls {ast.unparse(node.func)}"


@places
def test_questions_and_properties_do_not_act(place: str) -> None:
    hits = [
        where(path, function.lineno, f"{function.name} {action}")
        for path in sources(place)
        for function in functions(path)
        if function.name.lstrip("_").startswith(("is_", "has_", "can_")) or is_property(function)
        if not any(ast.unparse(decorator).endswith(".setter") for decorator in function.decorator_list)
        for action in actions(function)
    ]

    assert not hits, "\n".join(["", *hits])


def test_names_of_tests_have_at_most_70_characters() -> None:
    tests = sorted(Path(__file__).parent.rglob("test_*.py"))
    hits = [
        where(path, function.lineno, f"{len(function.name)} characters: {function.name}")
        for path in tests
        for function in functions(path)
        if function.name.startswith("test_") and len(function.name) > TEST_NAME
    ]

    assert not hits, "\n".join(["", *hits])


@pages
def test_pages_use_none_of_the_unwanted_words(page: str) -> None:
    hits = [
        where(path, number, words)
        for path in texts(page)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (words := unwanted(line))
    ]

    assert not hits, "\n".join(["", *hits])


@pages
def test_pages_have_lines_of_at_most_100_columns(page: str) -> None:
    """Table rows cannot be broken in Markdown; a long address cannot either."""
    hits = [
        where(path, number, len(line))
        for path in texts(page)
        if path.suffix == ".md"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > LINE and not line.lstrip().startswith("|") and max(map(len, line.split())) < LINE
    ]

    assert not hits, "\n".join(["", *hits])


@pytest.mark.parametrize(
    "text",
    [
        "It was told twice.",
        "The file lies in a folder.",
        "its name is no table name",
        "a gateway beside it",
        "for\ngood",
        "a sync whose state is old",
    ],
)
def test_an_unwanted_word_is_reported(text: str) -> None:
    assert unwanted(text)


@pytest.mark.parametrize("text", ["There is no table.", "An org behind a company proxy.", "It is no longer there."])
def test_an_allowed_phrase_is_not_reported(text: str) -> None:
    assert unwanted(text) == []
