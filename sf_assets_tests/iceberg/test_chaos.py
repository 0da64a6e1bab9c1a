"""A change that dies, or meets a failing disk, at any file operation leaves the old table or the new one."""

import pytest

from sf_assets_tests.iceberg.chaos import CHANGES, judge, play, prepare

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("change", "kind"), [*((change, "kill") for change in CHANGES), ("merge", "EIO"), ("erasure", "EACCES")]
)
def test_a_struck_change_leaves_the_old_table_or_the_new_one(tmp_path, change, kind):
    assert play(7, tmp_path, change, kind).wrong == ""


def test_a_broken_promise_is_found(tmp_path):
    """Without the check of the outcome a lost row would go unnoticed."""
    lake, act, rows, state = prepare(tmp_path, 3, "merge")
    old = lake.present()
    act()
    table = lake.tables()._catalog.find("account")
    table.delete(f"id = '{next(iter(rows))}'")

    with pytest.raises(AssertionError, match="neither old nor new"):
        judge(lake, act, old=old, new=(rows, state))


def test_a_file_that_a_late_reader_misses_is_found(tmp_path):
    lake, _, _, _ = prepare(tmp_path, 3, "reader")
    assert lake.unreadable() == []

    tables = lake.tables()
    tables._past_waits = False
    tables.erase("account", "is_deleted")

    assert lake.unreadable() != []
