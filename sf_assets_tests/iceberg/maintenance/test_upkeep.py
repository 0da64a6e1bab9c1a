"""Tables stay cheap: small files are brought together when there are enough of them, old snapshots expire."""

from copy import copy
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat

from sf_assets.iceberg.commit.data_files import DELETED_PATH_ID, LiveFile, live_files
from sf_assets.iceberg.commit.delete_files import write_deletes
from sf_assets.iceberg.commit.expire_snapshots import MAX_AGE, MIN_COUNT, expired_snapshots
from sf_assets.iceberg.commit.manifests import Manifests
from sf_assets.iceberg.commit.pyiceberg_internals import CachedTransaction
from sf_assets.iceberg.commit.row_delta import RowDelta
from sf_assets.iceberg.commit.table_state import state_at
from sf_assets.iceberg.maintenance.compact import files_to_compact
from sf_assets_tests.iceberg.conftest import Account


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
def test_many_small_files_and_files_with_many_deletes_are_rewritten(files, due):
    assert len(files_to_compact(files)) == due


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_compaction_is_one_snapshot_with_state_and_no_dangling_deletes(account):
    for turn in range(25):
        account.merge(account.frame((f"{turn:02}", "a", turn), ("shared", "b", turn)), state=f"s{turn}")

    compaction = account.table.current_snapshot()
    assert compaction.summary["sf_assets.compacted-files"] == "25"
    assert compaction.summary["total-data-files"] == "1"
    assert compaction.summary["total-delete-files"] == "0"
    assert state_at(account.table.metadata, compaction) == "s24"

    account.merge(account.frame(("new", "c", 99)), state="s25", base="s24")
    account.table.manage_snapshots().rollback_to_snapshot(compaction.snapshot_id).commit()
    assert account.facts.state == "s24"


def test_a_young_table_is_not_rewritten_for_a_small_commit(account):
    for turn in range(5):
        account.merge(account.frame(("1", f"v{turn}", turn), ("2", f"v{turn}", turn)), state=f"s{turn}")

    assert len(account.table.snapshots()) == 5


@pytest.mark.slow
def test_a_file_that_lost_many_rows_is_rewritten_without_them(account):
    account.replace(account.frame(*[(f"{n:06}", "a", 1) for n in range(20_000)]), state="s1")

    account.replace(account.frame(*[(f"{n:06}", "a", 1) for n in range(12_000)]), state="s2")

    [task] = account.table.scan().plan_files()
    assert (task.file.record_count, task.delete_files) == (12_000, set())
    assert account.facts.state == "s2"


@pytest.mark.slow
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


@pytest.mark.parametrize(("minutes", "snapshot_count"), [(60, 36), (5, 145), (24 * 60, 10), (6 * 60, 21)])
def test_frequent_commits_do_not_fill_the_metadata_with_snapshots(account, minutes, snapshot_count):
    """Hourly: 36 snapshots. Every five minutes: those of half a day. Every six hours and daily: those of five days."""
    account.merge(account.frame(("1", "a", 1)), state="s1")
    metadata, now = account.table.metadata, datetime.now(UTC)
    times = [int((now - timedelta(minutes=minutes * n)).timestamp() * 1000) for n in reversed(range(300))]
    last = metadata.snapshots[-1]
    history = [last.model_copy(update={"snapshot_id": n, "timestamp_ms": time}) for n, time in enumerate(times[:-1])]
    last = last.model_copy(update={"timestamp_ms": times[-1]})
    metadata = metadata.model_copy(update={"snapshots": [*history, last]})

    assert 300 - len(expired_snapshots(metadata, now=now)) == snapshot_count


DAY_MS = 24 * 60 * 60 * 1000


@pytest.mark.parametrize(
    ("properties", "snapshot_count"),
    [
        ({}, 36),
        ({MAX_AGE: str(30 * DAY_MS)}, 300),
        ({MAX_AGE: str(10 * DAY_MS)}, 241),
        ({MAX_AGE: str(DAY_MS)}, 25),
        ({MAX_AGE: "1"}, 10),
        ({MIN_COUNT: "100"}, 100),
        ({MAX_AGE: "1", MIN_COUNT: "2"}, 2),
        ({MAX_AGE: "five days", MIN_COUNT: "0"}, 36),
        ({MAX_AGE: "-1", MIN_COUNT: ""}, 36),
    ],
)
def test_iceberg_s_own_properties_of_a_table_decide_which_snapshots_stay(account, properties, snapshot_count):
    """300 hourly snapshots."""
    account.merge(account.frame(("1", "a", 1)), state="s1")
    metadata, now = account.table.metadata, datetime.now(UTC)
    times = [int((now - timedelta(hours=n)).timestamp() * 1000) for n in reversed(range(300))]
    last = metadata.snapshots[-1].model_copy(update={"timestamp_ms": times[-1]})
    history = [last.model_copy(update={"snapshot_id": n, "timestamp_ms": at}) for n, at in enumerate(times[:-1])]
    changes = {"snapshots": [*history, last], "properties": {**metadata.properties, **properties}}

    snapshot_ids = expired_snapshots(metadata.model_copy(update=changes), now=now)

    assert 300 - len(snapshot_ids) == snapshot_count


@pytest.mark.slow
def test_the_snapshot_with_the_state_does_not_expire_before_later_ones(account):
    bearer = account.merge(account.frame(("0", "a", 0)), state="s1")
    for turn in range(12):
        account.merge(account.frame((f"{turn:02}", "a", turn)), state=None)

    snapshot_ids = expired_snapshots(account.table.metadata, now=datetime.now(UTC) + timedelta(days=6))

    assert len(snapshot_ids) == 2
    assert bearer.snapshot_id not in snapshot_ids


@pytest.mark.slow
def test_sweeping_removes_files_of_expired_snapshots_and_nothing_else(account, another):
    for turn in range(15):
        account.merge(account.frame(("1", f"v{turn}", turn)), state=f"s{turn}")
    later = datetime.now(UTC) + timedelta(days=9)
    account.tables = another(now=lambda: later)
    account.merge(account.frame(("1", "last", 99)), state="last")

    paths = account.tables.remove_orphan_files("account")

    assert any(path.endswith(".parquet") for path in paths)
    for snapshot in account.table.snapshots():
        assert account.table.scan(snapshot_id=snapshot.snapshot_id).to_arrow().num_rows == 1
    assert account.tables.remove_orphan_files("account") == ()


@pytest.mark.slow
def test_metadata_files_do_not_pile_up(account):
    for turn in range(20):
        account.merge(account.frame(("1", f"v{turn}", turn)), state=f"s{turn}")

    assert len([path for path in account.files("metadata") if path.name.endswith(".metadata.json")]) <= 11


@pytest.mark.slow
def test_manifests_do_not_pile_up(account):
    account.merge(account.frame(*[(f"{n:02}", "a", 0) for n in range(60)]), state="s")
    for turn in range(23):
        account.merge(account.frame((f"{turn:02}", "b", turn + 1)), state=f"s{turn}")

    manifests = account.table.current_snapshot().manifests(account.table.io)
    assert len(manifests) <= 9
    assert account.facts.rows == 60


@pytest.mark.slow
def test_a_weekly_upkeep_says_what_is_due_and_does_it(account, another):
    for turn in range(5):
        account.merge(account.frame((f"{turn}", "a", turn), ("shared", f"v{turn}", turn)), state=f"s{turn}")
    commit_dangling_delete(account)
    later = another(now=lambda: datetime.now(UTC) + timedelta(days=4)).maintenance
    (account.files("data").pop().parent / "orphan.parquet").write_bytes(b"of a killed write")

    plan = later.maintain("account", dry_run=True)
    assert (plan.data_files, plan.rewritten_files, plan.dangling_deletes, plan.orphan_files) == (5, 5, 1, 1)
    assert account.facts.snapshot_id == account.table.current_snapshot().snapshot_id

    upkeep = later.maintain("account")

    assert (upkeep.data_files_after, upkeep.rewritten_files, upkeep.dangling_deletes, upkeep.orphan_files) == (
        1,
        5,
        1,
        1,
    )
    assert account.table.current_snapshot().summary["total-delete-files"] == "0"
    assert account.facts.state == "s4"
    assert account.rows() == [*((f"{n}", "a") for n in range(5)), ("shared", "v4")]
    assert later.maintain("account").is_idle
    assert later.maintain("no_such_table") is None


def commit_dangling_delete(account) -> None:
    """Add a delete file for a data file that the table does not have, as Spark's compaction leaves it."""
    table = account.table
    absent = LiveFile(copy(next(iter(live_files(table))).data))
    absent.data[1] = f"{table.location()}/data/gone.parquet"
    delete = write_deletes(table.io, absent, pl.Series([0]), path=f"{table.location()}/data/dangling.parquet")
    transaction = CachedTransaction(table)
    RowDelta(table, transaction, manifests=Manifests(table.io), added=[], deletes=[delete], summary={}).commit()
    transaction.commit_transaction()


@pytest.mark.slow
def test_a_weekly_upkeep_expires_old_snapshots_where_no_file_is_due(account, another):
    account.replace(account.frame(*[(f"{n:06}", "a", 1) for n in range(60_000)]), state="s0")
    for turn in range(15):
        account.tables.commit_state("account", columns=account.columns, base=account.state, state=f"t{turn}")
        account.state = f"t{turn}"
    for turn in range(14):
        account.table.manage_snapshots().create_tag(account.facts.snapshot_id, f"t{turn}").commit()
        account.table.append(account.table.scan(limit=0).to_arrow())

    upkeep = another(now=lambda: datetime.now(UTC) + timedelta(days=6)).maintenance.maintain("account")

    assert upkeep.rewritten_files == 0
    assert len(account.table.snapshots()) == 15 - upkeep.expired_snapshots
    assert account.facts.state == "t14"


@pytest.mark.slow
def test_external_upkeep_leaves_compaction_and_expiry_to_another_engine(account, another):
    account.tables = another(upkeep="external")
    for turn in range(30):
        account.merge(account.frame((f"{turn:02}", "a", turn)), state=f"s{turn}")
    account.tables = another(upkeep="external", now=lambda: datetime.now(UTC) + timedelta(days=9))
    account.merge(account.frame(("x", "a", 99)), state="s30")

    assert len(account.table.snapshots()) == 31
    assert len(list(account.table.scan().plan_files())) == 31


def test_properties_say_what_is_written_and_users_values_stay(account):
    account.merge(account.frame(("1", "a", 1)), state="s1")
    size, age = "write.target-file-size-bytes", "history.expire.max-snapshot-age-ms"
    assert int(account.table.properties[size]) == 64 * 1024 * 1024

    former = account.table.transaction().set_properties({size: str(512 * 1024 * 1024)}).remove_properties(age)
    former.commit_transaction()
    account.merge(account.frame(("2", "a", 2)), state="s2")
    assert account.table.properties[size] == str(64 * 1024 * 1024)
    assert account.table.properties[age] == "432000000"

    account.table.transaction().set_properties({size: "1000000"}).commit_transaction()
    account.merge(account.frame(("3", "a", 3)), state="s3")
    assert account.table.properties[size] == "1000000"


@pytest.mark.slow
def test_files_of_a_tagged_snapshot_outlive_expiry_and_orphans(account, another):
    """apache/iceberg issue 13568: an expiry with a tag deleted data files that the tag still needed."""
    for turn in range(3):
        account.merge(account.frame(("1", f"v{turn}", turn), (f"only {turn}", "a", turn)), state=f"s{turn}")
    snapshot_id = account.table.current_snapshot().snapshot_id
    account.table.manage_snapshots().create_tag(snapshot_id, "audit").commit()
    before = account.table.scan(snapshot_id=snapshot_id).to_arrow().sort_by("id")
    account.replace(account.frame(("1", "last", 9)), state="s3")
    for turn in range(12):
        account.merge(account.frame((f"later {turn}", "a", turn)), state=f"s4 {turn}")

    account.tables = another(now=lambda: datetime.now(UTC) + timedelta(days=30))
    account.tables.maintenance.maintain("account")
    account.tables.remove_orphan_files("account")

    assert len(account.table.snapshots()) < 14
    assert account.table.scan(snapshot_id=snapshot_id).to_arrow().sort_by("id") == before


@pytest.mark.slow
def test_an_expiry_removes_snapshots_of_its_own_table_alone(tables, another):
    """apache/iceberg-python issue 2409: the expiry of one table tried to remove another table's snapshots."""
    accounts = [Account(tables, name=name) for name in ("account", "contact")]
    for turn in range(15):
        for account in accounts:
            account.merge(account.frame((f"{turn:02}", "a", turn)), state=f"s{turn}")

    later = another(now=lambda: datetime.now(UTC) + timedelta(days=9))
    later.maintenance.maintain("account")

    counts = {name: len(Account(later, name=name).table.snapshots()) for name in ("account", "contact")}
    assert counts == {"account": 10, "contact": 15}
