"""Commits whose answer never came: the table decides whether they happened, and no file that it may need is removed."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sf_assets.errors import IcebergUnreachable
from sf_assets.iceberg.tables import IcebergTables

CATALOG = """
from pyiceberg.catalog.sql import SqlCatalog

class Losing(SqlCatalog):
    error, is_late = None, False

    def commit_table(self, table, requirements, updates):
        if self.error is None:
            return super().commit_table(table, requirements, updates)
        if self.is_late:
            super().commit_table(table, requirements, updates)
        error, self.error = self.error, None
        raise error
"""


@pytest.fixture
def losing(account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Arms the catalog: its next commit raises, before or after it has happened."""
    (tmp_path / "losing_catalog.py").write_text(CATALOG)
    monkeypatch.syspath_prepend(str(tmp_path))
    properties = {
        "py-catalog-impl": "losing_catalog.Losing",
        "uri": f"sqlite:///{tmp_path}/catalog.db",
        "warehouse": f"file://{tmp_path}/lake",
    }
    account.tables = IcebergTables("salesforce", "salesforce", properties)

    def arm(error: BaseException, *, is_late: bool) -> None:
        catalog = account.tables._catalog.catalog
        catalog.error, catalog.is_late = error, is_late

    return arm


def test_a_commit_that_happened_counts_although_its_answer_was_lost(account, losing):
    account.merge(account.frame(("1", "a", 1)), state="s1")
    losing(ConnectionResetError(104, "reset"), is_late=True)

    result = account.merge(account.frame(("1", "b", 2), ("2", "c", 2)), state="s2")

    assert (result.commits, result.inserted, result.updated) == (1, 1, 1)
    assert account.rows() == [("1", "b"), ("2", "c")]
    assert account.facts.state == "s2"


def test_a_commit_that_did_not_happen_is_an_error_and_may_be_tried_again(account, losing):
    account.merge(account.frame(("1", "a", 1)), state="s1")
    losing(ConnectionResetError(104, "reset"), is_late=False)

    with pytest.raises(IcebergUnreachable) as refusal:
        account.merge(account.frame(("2", "b", 2)), state="s2")

    assert refusal.value.retryable
    assert account.facts.state == "s1"
    account.merge(account.frame(("2", "b", 2)), state="s2")
    assert account.rows() == [("1", "a"), ("2", "b")]


@pytest.mark.parametrize("is_late", [True, False])
def test_an_interrupt_in_mid_commit_leaves_a_table_that_can_be_read(account, losing, is_late):
    account.merge(account.frame(("1", "a", 1)), state="s1")
    losing(KeyboardInterrupt(), is_late=is_late)

    with pytest.raises(KeyboardInterrupt):
        account.merge(account.frame(("1", "b", 2), ("2", "c", 2)), state="s2")

    assert account.rows() == ([("1", "b"), ("2", "c")] if is_late else [("1", "a")])
    assert account.facts.state == ("s2" if is_late else "s1")


def test_an_interrupt_before_the_commit_leaves_no_file(account, another):
    account.merge(account.frame(("1", "a", 1)), state="s1")
    files = account.files()

    def interrupt():
        raise KeyboardInterrupt

    account.tables = another(now=interrupt)
    with pytest.raises(KeyboardInterrupt):
        account.merge(account.frame(("1", "b", 2), ("2", "c", 2)), state="s2")

    assert account.files() == files


@pytest.mark.parametrize("change", ["merge", "state"])
def test_a_commit_that_a_reader_of_the_catalog_s_file_blocks_never_counts(account, tmp_path, change):
    """A backup, a database browser or Spark's JDBC driver may hold a read lock for longer than the timeout."""
    account.merge(account.frame(("1", "a", 1)), state="s1")
    uri = f"sqlite:///{tmp_path}/catalog.db?timeout=0.05"
    account.tables = IcebergTables("salesforce", "salesforce", {"type": "sql", "uri": uri})
    account.tables.facts("account")

    changes = {
        "merge": lambda: account.merge(account.frame(("2", "b", 2)), state="s2"),
        "state": lambda: account.tables.commit_state("account", columns=account.columns, base="s1", state="s2"),
    }

    with closing(sqlite3.connect(tmp_path / "catalog.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM iceberg_tables").fetchall()
        with pytest.raises(IcebergUnreachable, match="database is locked"):
            changes[change]()
        assert account.facts.state == "s1"

    assert account.rows() == [("1", "a")]
    assert account.merge(account.frame(("2", "b", 2)), state="s2").inserted == 1
    assert account.rows() == [("1", "a"), ("2", "b")]
