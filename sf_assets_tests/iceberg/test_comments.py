"""Comments of columns stay within what the catalog accepts."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.types import StringType

from sf_assets.iceberg.comments import comment_limit, short_comment
from sf_assets.iceberg.model import TableColumn
from sf_assets_tests.iceberg.conftest import COLUMNS


@pytest.mark.parametrize(
    ("properties", "limit"),
    [
        ({"type": "sql"}, None),
        ({"type": "glue"}, 255),
        ({"type": "hive"}, 255),
        ({"type": "rest", "uri": "https://polaris.example.com/api/catalog"}, None),
        ({"type": "rest", "uri": "https://glue.eu-west-1.amazonaws.com/iceberg"}, 255),
        ({"type": "rest", "uri": "https://s3tables.eu-west-1.amazonaws.com/iceberg"}, 255),
        ({"type": "rest", "uri": "https://proxy.example.com", "rest.signing-name": "s3tables"}, 255),
    ],
)
def test_glue_and_what_speaks_for_glue_limit_a_comment(properties: dict[str, Any], limit: int | None) -> None:
    assert comment_limit(cast(Catalog, SimpleNamespace(properties=properties))) == limit


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("Name", 255, "Name"),
        ("a\nb\r\n\tc\x00d\x1be", 255, "a b c d e"),
        ("x" * 255, 255, "x" * 255),
        ("x" * 256, 255, "x" * 254 + "…"),
        ("y" * 3000, None, "y" * 3000),
        ("", 255, ""),
        ("Größe 尺寸", 255, "Größe 尺寸"),
    ],
)
def test_a_comment_is_one_line_of_at_most_the_limit(text: str, limit: int | None, expected: str) -> None:
    assert short_comment(text, limit) == expected


def test_a_comment_of_several_lines_is_stored_as_one_line(account):
    account.columns = (*COLUMNS, TableColumn("memo", StringType(), "first\nsecond"))

    account.merge(account.frame(("1", "a", 10)), state="s1")

    assert account.table.schema().find_field("memo").doc == "first second"
    account.columns = (*COLUMNS, TableColumn("memo", StringType(), "first\nthird"))
    account.merge(account.frame(("2", "b", 20)), state="s2")
    assert account.table.schema().find_field("memo").doc == "first third"
