"""docs/errors.md is made from errors.py: `make docs` writes it, this test holds it against the tree."""

import inspect
from collections.abc import Iterator
from pathlib import Path

from sf_assets import errors

PAGE = Path(__file__).parent.parent / "docs" / "errors.md"
HEAD = """# Errors

Made from `sf_assets/errors.py` by `make docs`. Every error names what happened, to which endpoint and with which
values; this page says what each class means, what to do about it, and whether trying again helps without anybody's
doing.
"""


def lineage(error: type[errors.SfAssetsError]) -> Iterator[type[errors.SfAssetsError]]:
    yield error
    for child in error.__subclasses__():
        yield from lineage(child)


def entry(error: type[errors.SfAssetsError]) -> str:
    above = [f"`{parent.__name__}`" for parent in error.__mro__[1:] if issubclass(parent, errors.SfAssetsError)]
    again = "yes" if error.retryable else "no"
    meaning = " ".join((inspect.getdoc(error) or "").split())
    return (
        f"\n## {error.__name__}\n\n{meaning}\n\n- **What to do:** {error.remedy}\n- **Trying again helps:** {again}\n"
        f"- **Is a:** {', '.join(above)}\n"
    )


def page() -> str:
    tree = list(dict.fromkeys(lineage(errors.SfAssetsError)))[1:]
    return HEAD + "".join(entry(error) for error in tree if error.__module__ == errors.__name__)


def test_the_page_of_errors_is_the_tree_of_errors() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "errors.py has changed: run `make docs`"


def test_every_error_has_a_remedy_of_its_own_branch() -> None:
    tree = list(lineage(errors.SfAssetsError))[1:]

    assert [error.__name__ for error in tree if error.remedy == errors.SfAssetsError.remedy] == ["SyncError"]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
