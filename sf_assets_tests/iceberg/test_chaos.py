"""A change that dies, or meets a failing disk, at any file operation leaves the old table or the new one."""

import errno

import pytest
from pyiceberg.manifest import ManifestFile

from sf_assets.errors import IcebergUnreachable
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

    lake.has_reader = False
    lake.tables().erase("account", "is_deleted")
    lake.has_reader = True

    assert lake.unreadable() != []


def test_a_disk_that_fails_while_manifests_are_merged_is_named(account, monkeypatch):
    """pyiceberg raised "An empty manifest file has been written" instead, which no class of ours has."""
    account.merge(account.frame(("1", "a", 10)), state="s1")
    account.table.transaction().set_properties({"commit.manifest.min-count-to-merge": "2"}).commit_transaction()
    former = {manifest.manifest_path for manifest in account.table.current_snapshot().manifests(account.table.io)}
    read = ManifestFile.fetch_manifest_entry

    def failing(manifest, *arguments, **options):
        if manifest.manifest_path not in former:
            raise OSError(errno.EIO, "Input/output error")
        return read(manifest, *arguments, **options)

    monkeypatch.setattr(ManifestFile, "fetch_manifest_entry", failing)

    with pytest.raises(IcebergUnreachable, match="account: OSError: .*Input/output error"):
        account.merge(account.frame(("2", "b", 20)), state="s2")

    assert account.facts.state == "s1"
