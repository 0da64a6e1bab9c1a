"""docs/errors.md is made from errors/ and the table of refusals by `make docs`; this test holds it to both."""

import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path

from sf_assets import errors
from sf_assets.salesforce.error_row import Retry, Row
from sf_assets.salesforce.error_table import ROWS
from sf_assets.salesforce.token_errors import TOKEN_ROWS

PAGE = Path(__file__).parent.parent / "docs" / "errors.md"
HEAD = """# Errors

For operators: look up an error of a run, and what to do about it. `make docs` generates this page
from `sf_assets/errors/` and the tables of refusals in `sf_assets/salesforce/`. Each error names
what happened, to which endpoint and with which values. The tables at the end list each answer of
Salesforce with its error and its source.
"""
ANSWERS = """
## Answers of Salesforce and their errors

The first row that fits decides. "Sent" bounds how often one request is sent before the error is
raised; pushbacks are bounded by the total time of one request, 15 minutes by default. Status 0 is
the network.

"""
LOGINS = """
## Answers of the token endpoint

These rows come first for a login; all others follow.

"""


def lineage(error: type[errors.SfAssetsError]) -> Iterator[type[errors.SfAssetsError]]:
    yield error
    for child in error.__subclasses__():
        yield from lineage(child)


def entry(error: type[errors.SfAssetsError]) -> str:
    above = [f"`{parent.__name__}`" for parent in error.__mro__[1:] if issubclass(parent, errors.SfAssetsError)]
    again = "yes" if error.retryable else "no"
    meaning = wrap(inspect.getdoc(error) or "")
    remedy = wrap(f"- **What to do:** {error.remedy}")
    return (
        f"\n## {error.__name__}\n\n{meaning}\n\n{remedy}\n- **Trying again helps:** {again}\n"
        f"- **Is a:** {', '.join(above)}\n"
    )


def wrap(text: str) -> str:
    """Return one paragraph or point with lines of at most 100 columns."""
    indent = "  " if text.startswith("- ") else ""
    words = " ".join(text.split())
    return textwrap.fill(words, 100, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)


def status(row: Row) -> str:
    if isinstance(row.status, range):
        return f"{row.status.start}-{row.status.stop - 1}"
    return "any" if row.status is None else str(row.status)


def answer(row: Row) -> str:
    codes = sorted(row.code) if isinstance(row.code, frozenset) else [row.code or ""]
    code = "any" if row.code is None else ", ".join(f"`{name}`" for name in codes) if row.code else "none"
    text = f' with "{row.text}"' if row.text else ""
    sendings = row.attempts or ("by time" if row.retry is Retry.PUSHBACK else 2 if row.retry is Retry.LOGIN else 1)
    link = f"[{row.error.__name__}](#{row.error.__name__.lower()})"
    return f"| {status(row)} | {code}{text} | {row.when} | {link} | {row.retry.value} | {sendings} | {row.source} |\n"


def table(rows: tuple[Row, ...]) -> str:
    head = "| status | errorCode | when | error | sent again | sent | source |\n" + 7 * "| --- " + "|\n"
    return head + "".join(answer(row) for row in rows)


def page() -> str:
    tree = list(dict.fromkeys(lineage(errors.SfAssetsError)))[1:]
    entries = "".join(entry(error) for error in tree if error.__module__.startswith(errors.__name__))
    return HEAD + entries + ANSWERS + table(ROWS) + LOGINS + table(TOKEN_ROWS)


def test_the_page_of_errors_is_the_tree_of_errors() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "errors/ has changed: run `make docs`"


def tree_lines(error: type[errors.SfAssetsError], depth: int = 0) -> Iterator[tuple[int, str]]:
    yield depth, error.__name__
    for child in error.__subclasses__():
        if child.__module__.startswith(errors.__name__):
            yield from tree_lines(child, depth + 1)


def test_the_tree_that_the_module_begins_with_is_the_tree() -> None:
    lines = [line[4:] for line in (errors.__doc__ or "").splitlines() if line.startswith("    ")]
    names = [((len(line) - len(line.lstrip(" │├└─"))) // 4, line.lstrip(" │├└─").split()[0]) for line in lines]

    assert sorted(names) == sorted(tree_lines(errors.SfAssetsError))


def test_every_error_has_a_remedy_of_its_own_branch() -> None:
    tree = list(lineage(errors.SfAssetsError))[1:]

    assert [error.__name__ for error in tree if error.remedy == errors.SfAssetsError.remedy] == ["SyncError"]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
