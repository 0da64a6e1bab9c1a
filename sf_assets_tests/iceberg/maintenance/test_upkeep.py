"""Tables stay cheap: small files are brought together when there are enough of them, old snapshots expire."""

from datetime import UTC, datetime, timedelta

import pytest
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat

from sf_assets.iceberg.commit.data_files import DELETED_PATH_ID, LiveFile
from sf_assets.iceberg.commit.expire_snapshots import expired_snapshots
from sf_assets.iceberg.maintenance.compact import files_to_compact


def live_file(rows: int, *, hidden: int = 0, deletes: int = 1) -> LiveFile:
    path = f"file:///{rows}-{hidden}.parquet"
    bounds = {DELETED_PATH_ID: path.encode()}
    data = DataFile.from_args(
        content=DataFileContent.DATA, file_format=FileFormat.PARQUET, file_path=path, record_count=rows
    )
    hiding = DataFile.from_args(
        content=DataFileContent.POSITION_DELETES,
        file_format=FileFormat.PARQUET,
        file_path="file:///d.parquet",
        record_count=hidden,
        lower_bounds=bounds,
        upper_bounds=bounds,
    )
    return LiveFile(data, (hiding,) * deletes if hidden else ())


@pytest.mark.parametrize(
    ("files", "due"),
    [
        ([], 0),
        ([live_file(10)] * 24, 0),
        ([live_file(10 + n) for n in range(25)], 25),
        ([live_file(500_000)] * 100, 0),
        ([*(live_file(10 + n) for n in range(25)), live_file(500_000)], 25),
        ([live_file(500_000, hidden=50_000)], 0),
        ([live_file(500_000, hidden=50_001)], 1),
        ([live_file(20, hidden=19)], 0),
        ([live_file(500_000, hidden=10, deletes=21)], 1),
    ],
)
def test_files_are_rewritten_when_they_are_many_and_small_or_laden_with_deletes(files, due):
    assert len(files_to_compact(files)) == due


def test_many_small_merges_end_in_few_files_and_the_state_stays(account):
    model = {}
    for turn in range(30):
        account.merge(account.frame((f"{turn:02}", f"v{turn}", turn), ("shared", f"v{turn}", turn)), state=f"s{turn}")
        model |= {f"{turn:02}": f"v{turn}", "shared": f"v{turn}"}

    tasks = list(account.table.scan().plan_files())
    assert len(tasks) < 10
    assert account.facts.state == "s29"
    assert account.rows() == sorted(model.items())
    assert account.facts.rows == 31


def test_a_compaction_is_one_snapshot_without_dangling_deletes_and_carries_the_state(account):
    for turn in range(25):
        account.merge(account.frame((f"{turn:02}", "a", turn), ("shared", "b", turn)), state=f"s{turn}")

    compaction = account.table.current_snapshot()
    assert compaction.summary["sf_assets.compacted-files"] == "25"
    assert compaction.summary["total-data-files"] == "1"
    assert compaction.summary["total-delete-files"] == "0"
    assert compaction.summary["sf_assets.state"] == "s24"

    account.merge(account.frame(("new", "c", 99)), state="s25", base="s24")
    account.table.manage_snapshots().rollback_to_snapshot(compaction.snapshot_id).commit()
    assert account.facts.state == "s24"


def test_a_young_table_is_not_rewritten_for_a_small_commit(account):
    for turn in range(5):
        account.merge(account.frame(("1", f"v{turn}", turn), ("2", f"v{turn}", turn)), state=f"s{turn}")

    assert len(account.table.snapshots()) == 5


def test_a_file_that_lost_many_rows_is_rewritten_without_them(account):
    account.replace(account.frame(*[(f"{n:06}", "a", 1) for n in range(20_000)]), state="s1")

    account.replace(account.frame(*[(f"{n:06}", "a", 1) for n in range(12_000)]), state="s2")

    [task] = account.table.scan().plan_files()
    assert (task.file.record_count, task.delete_files) == (12_000, set())
    assert account.facts.state == "s2"


def test_snapshots_expire_after_five_days_but_for_the_last_ten(account, another):
    for turn in range(15):
        account.merge(account.frame((f"{turn:02}", "a", turn)), state=f"s{turn}")
    assert len(account.table.snapshots()) == 15

    account.tables = another(now=lambda: datetime.now(UTC) + timedelta(days=4))
    account.merge(account.frame(("x", "a", 20)), state="s15")
    assert len(account.table.snapshots()) == 16

    account.tables = another(now=lambda: datetime.now(UTC) + timedelta(days=6))
    account.merge(account.frame(("y", "a", 20)), state="s16")
    assert len(account.table.snapshots()) == 10
    assert account.facts.state == "s16"
    assert len(account.rows()) == 17


def test_the_snapshot_of_the_state_does_not_expire_under_later_ones_that_bear_none(account):
    bearer = account.merge(account.frame(("0", "a", 0)), state="s1")
    for turn in range(12):
        account.merge(account.frame((f"{turn:02}", "a", turn)), state=None)

    expired = expired_snapshots(account.table.metadata, now=datetime.now(UTC) + timedelta(days=6))

    assert len(expired) == 2
    assert bearer.snapshot_id not in expired


def test_sweeping_takes_the_files_of_expired_snapshots_and_nothing_that_is_needed(account, another):
    for turn in range(15):
        account.merge(account.frame(("1", f"v{turn}", turn)), state=f"s{turn}")
    later = datetime.now(UTC) + timedelta(days=9)
    account.tables = another(now=lambda: later)
    account.merge(account.frame(("1", "last", 99)), state="last")

    swept = account.tables.remove_orphan_files("account")

    assert any(path.endswith(".parquet") for path in swept)
    for snapshot in account.table.snapshots():
        assert account.table.scan(snapshot_id=snapshot.snapshot_id).to_arrow().num_rows == 1
    assert account.tables.remove_orphan_files("account") == ()


def test_metadata_files_do_not_pile_up(account):
    for turn in range(20):
        account.merge(account.frame(("1", f"v{turn}", turn)), state=f"s{turn}")

    assert len([path for path in account.files("metadata") if path.name.endswith(".metadata.json")]) <= 11


def test_manifests_do_not_pile_up(account):
    account.merge(account.frame(*[(f"{n:02}", "a", 0) for n in range(60)]), state="s")
    for turn in range(23):
        account.merge(account.frame((f"{turn:02}", "b", turn + 1)), state=f"s{turn}")

    manifests = account.table.current_snapshot().manifests(account.table.io)
    assert len(manifests) <= 9
    assert account.facts.rows == 60
