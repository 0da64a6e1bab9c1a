"""Commits whose answer never came: the table decides whether they happened, and no file that it may need is removed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sf_assets.errors import IcebergUnreachable
from sf_assets.iceberg.tables import IcebergTables

CATALOG = """
from pyiceberg.catalog.sql import SqlCatalog

class Losing(SqlCatalog):
    raised, is_late = None, False

    def commit_table(self, table, requirements, updates):
        if self.raised is None:
            return super().commit_table(table, requirements, updates)
        if self.is_late:
            super().commit_table(table, requirements, updates)
        error, self.raised = self.raised, None
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

    def arm(raised: BaseException, *, is_late: bool) -> None:
        catalog = account.tables._catalog.catalog
        catalog.raised, catalog.is_late = raised, is_late

    return arm


def test_a_commit_that_happened_counts_although_its_answer_was_lost(account, losing):
    account.merge(account.frame(("1", "a", 1)), state="s1")
    losing(ConnectionResetError(104, "reset"), is_late=True)

    written = account.merge(account.frame(("1", "b", 2), ("2", "c", 2)), state="s2")

    assert (written.commits, written.inserted, written.updated) == (1, 1, 1)
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

    def interrupted():
        raise KeyboardInterrupt

    account.tables = another(now=interrupted)
    with pytest.raises(KeyboardInterrupt):
        account.merge(account.frame(("1", "b", 2), ("2", "c", 2)), state="s2")

    assert account.files() == files
