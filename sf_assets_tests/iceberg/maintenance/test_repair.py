"""A damaged table is named, and a repair brings it back without deleting a file."""

import json
import shutil
import sqlite3
import time
from pathlib import Path

import pytest

from sf_assets.errors import CatalogDamaged, IcebergUnreachable, TableDamaged, TableForeign
from sf_assets.iceberg.commit.data_files import live_files
from sf_assets.iceberg.commit.table_state import STATE
from sf_assets.iceberg.maintenance.repair import Repair, RepairAction
from sf_assets.iceberg.tables import IcebergTables


def local(location: str) -> Path:
    return Path(location.removeprefix("file://"))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def garble(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for place in range(0, len(content), 7):
        content[place] ^= 0x55
    path.write_bytes(content)


HARMS = [Path.unlink, cut, empty, garble]
STEPS = [(("1", "a", 10), ("2", "b", 20)), (("3", "c", 30),), (("2", "B", 40), ("4", "d", 40))]


@pytest.fixture
def account(account):
    for number, rows in enumerate(STEPS, start=1):
        account.merge(account.frame(*rows), state=f"s{number}")
    return account


def newest(account, kind: str) -> Path:
    """Return a file that only the newest snapshot needs."""
    table = account.table
    snapshot = table.current_snapshot()
    if kind == "metadata":
        return local(table.metadata_location)
    if kind == "list":
        return local(snapshot.manifest_list)
    if kind == "manifest":
        manifests = snapshot.manifests(table.io)
        return local(next(m.manifest_path for m in manifests if m.added_snapshot_id == snapshot.snapshot_id))
    files = live_files(table)
    if kind == "delete":
        return local(next(file.deletes[0].file_path for file in files if file.deletes))
    return max((local(file.path) for file in files), key=lambda path: path.stat().st_mtime_ns)


def plan(tables: IcebergTables, **more) -> Repair:
    return tables.maintenance.plan_repair("account", is_state_valid=lambda state: state.startswith("s"), **more)


def repair(tables: IcebergTables, **more) -> Repair:
    steps = plan(tables, **more)
    tables.maintenance.repair(steps, is_state_valid=lambda state: state.startswith("s"))
    return steps


@pytest.mark.slow
@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("kind", ["metadata", "list", "manifest", "data", "delete"])
def test_every_kind_of_damage_has_a_name_and_a_repair(account, another, kind, harm):
    path = newest(account, kind)
    before = {file for file in account.files("") if file != path}
    harm(path)

    if kind == "metadata":
        with pytest.raises(TableDamaged, match=rf"account: the metadata file .*{path.name} is damaged") as error_info:
            another().facts("account")
        assert "sf-assets repair" in error_info.value.remedy
    steps = plan(another(), deep=harm is garble)

    assert any(path.name in damage.path for damage in steps.damage), steps.damage
    assert steps.action in {RepairAction.ROLL_BACK, RepairAction.RESTORE_METADATA}
    account.tables = another()
    repair(account.tables, deep=harm is garble)
    account.tables = another()
    assert account.facts.state == "s2"
    assert account.rows() == [("1", "a"), ("2", "b"), ("3", "c")]
    assert {file for file in account.files("") if file != path} >= before
    account.merge(account.frame(("2", "B", 40), ("4", "d", 40)), state="s3", base="s2")
    assert account.rows() == [("1", "a"), ("2", "B"), ("3", "c"), ("4", "d")]
    assert plan(another()).action is RepairAction.NOTHING


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("kind", ["list", "manifest", "data", "delete"])
def test_a_write_over_a_damaged_file_is_refused_by_name(account, kind, harm):
    from pyiceberg.manifest import clear_manifest_cache

    path = newest(account, kind)
    clear_manifest_cache()
    harm(path)

    for act in (
        lambda: account.merge(account.frame(("2", "x", 90), ("4", "y", 90), ("1", "z", 90)), state="s4"),
        lambda: account.replace(account.frame(("2", "x", 90)), state="s4"),
    ):
        with pytest.raises(TableDamaged, match=path.name) as error_info:
            act()
        assert error_info.value.values["path"].endswith(path.name)


def test_without_a_whole_snapshot_the_table_is_set_aside(account, another):
    first = min((local(file.path) for file in live_files(account.table)), key=lambda path: path.stat().st_mtime_ns)
    first.unlink()
    before = account.files("")
    account.tables = another()

    steps = repair(account.tables)

    assert steps.action is RepairAction.SET_ASIDE
    assert account.tables.facts("account") is None
    assert account.tables.names() == ()
    account.state = None
    account.merge(account.frame(("1", "a", 10)), state="s1")
    assert account.rows() == [("1", "a")]
    assert account.table.location() != str(first.parent.parent)
    assert account.tables.remove_orphan_files("account") == ()
    assert all(path.exists() for path in before)


@pytest.mark.parametrize("more", [{"full_copy": True}, {"deep": True}], ids=str)
def test_a_table_that_was_set_aside_is_not_registered_again(account, another, more):
    for file in live_files(account.table):
        path = local(file.path)
        path.write_bytes(bytes(path.stat().st_size))
    assert repair(another(), **more).action is RepairAction.SET_ASIDE

    assert plan(another(), **more) == Repair("account", ())
    assert plan(another()) == Repair("account", ())
    assert another().facts("account") is None


def rewrite(path: Path, change) -> None:
    metadata = json.loads(path.read_text())
    change(metadata)
    path.write_text(json.dumps(metadata))


def test_metadata_that_names_a_missing_snapshot_is_damage(account, another):
    rewrite(newest(account, "metadata"), lambda metadata: metadata.update({"current-snapshot-id": 12345}))
    with pytest.raises(TableDamaged, match="no snapshot 12345, which it names as the current one"):
        another().facts("account")

    steps = repair(another())

    assert steps.action is RepairAction.RESTORE_METADATA
    assert steps.damage[0].what == "it has no snapshot 12345, which it names as the current one"
    account.tables = another()
    assert account.facts.state == "s2"
    assert account.rows() == [("1", "a"), ("2", "b"), ("3", "c")]


def test_the_metadata_file_of_another_table_is_damage(account, another):
    def of_contact(metadata):
        metadata["location"] = metadata["location"].replace("account", "contact")
        metadata["table-uuid"] = "11111111-1111-4111-8111-111111111111"

    rewrite(newest(account, "metadata"), of_contact)
    with pytest.raises(TableDamaged, match=r"is damaged: it is of another table, in .*/contact"):
        another().facts("account")

    assert repair(another()).action is RepairAction.RESTORE_METADATA
    account.tables = another()
    assert account.facts.state == "s2"


def test_a_full_copy_can_be_asked_for(account, another):
    steps = repair(another(), full_copy=True)

    assert steps.action is RepairAction.SET_ASIDE
    assert another().facts("account") is None


def test_all_metadata_files_damaged_means_a_full_copy(account, another):
    for path in account.files("metadata"):
        if path.name.endswith(".metadata.json"):
            garble(path)

    steps = repair(another())

    assert steps.action is RepairAction.SET_ASIDE
    assert another().facts("account") is None


def test_a_table_that_was_dropped_from_the_catalog_is_registered_again(account, another):
    account.tables._catalog.catalog.drop_table(("salesforce", "account"))
    assert another().facts("account") is None

    steps = repair(another())

    assert steps.action is RepairAction.REGISTER
    account.tables = another()
    assert account.facts.state == "s3"
    assert account.rows() == [("1", "a"), ("2", "B"), ("3", "c"), ("4", "d")]


def test_a_catalog_file_that_is_no_database_says_so_and_is_built_again(account, another, tmp_path):
    catalog = tmp_path / "catalog.db"
    account.tables._catalog.catalog.engine.dispose()
    garble(catalog)
    with pytest.raises(CatalogDamaged, match=r"database|malformed") as error_info:
        another().facts("account")
    assert "sf-assets repair" in error_info.value.remedy

    catalog.rename(tmp_path / "damaged.db")
    steps = repair(another())

    assert steps.action is RepairAction.REGISTER
    account.tables = another()
    assert account.facts.rows == 4


@pytest.mark.parametrize(
    "text",
    [
        "{", "null", "[]", "5", '{"snapshot": 1}', '{"snapshot": 1, "state": 5}', '{"snapshot": "1", "state": "s9"}',
        '{"snapshot": 1, "state": ["s9"]}', "[" * 100_000, "\x00",
    ],
    ids=lambda text: text[:35],
)  # fmt: skip
def test_an_unreadable_state_property_is_reset_to_the_newest_readable_one(account, another, text):
    account.table.transaction().set_properties({STATE: text}).commit_transaction()
    with pytest.raises(TableDamaged, match="sf_assets.state is unreadable"):
        another().facts("account")

    steps = repair(another())

    assert steps.action is RepairAction.RESET_STATE
    account.tables = another()
    assert account.facts.state == "s3"
    assert account.facts.rows == 4


def test_a_state_that_its_reader_refuses_is_reset(account, another):
    account.tables.commit_state("account", columns=account.columns, base="s3", state="{ damaged")

    steps = repair(another())

    assert steps.action is RepairAction.RESET_STATE
    assert another().facts("account").state == "s3"


def test_a_lake_that_was_moved_is_named_with_its_folder(account, another, tmp_path):
    shutil.move(tmp_path / "lake", tmp_path / "elsewhere")
    with pytest.raises(TableDamaged, match=r"metadata file .* is damaged: the file is missing"):
        another().facts("account")

    steps = plan(another())

    assert steps.action is RepairAction.MOVE_BACK
    assert str(tmp_path / "lake") in steps.does
    (tmp_path / "lake").symlink_to(tmp_path / "elsewhere")
    assert plan(another()).action is RepairAction.NOTHING
    account.tables = another()
    assert account.facts.rows == 4


def test_a_sound_table_and_no_table_need_no_repair(account, another):
    assert plan(another(), deep=True) == Repair("account", ())
    assert another().maintenance.find_damage("account", deep=True) == ()
    assert another().maintenance.plan_repair("contact", is_state_valid=bool) == Repair("contact", ())


def test_a_table_of_another_tool_is_left_alone(account, another):
    account.table.transaction().remove_properties("sf_assets.version").commit_transaction()

    assert plan(another()) == Repair("account", ())
    with pytest.raises(TableForeign):
        another().maintenance.find_damage("account")


def test_an_unreadable_property_of_ours_is_damage(account, another):
    account.table.transaction().set_properties({"sf_assets.keys": "{"}).commit_transaction()

    with pytest.raises(TableDamaged, match=r"the table property sf_assets\.keys is unreadable"):
        another().merge(
            "account", columns=account.columns, keys=("id",), stamp=None, base="s3",
            chunks=account.chunks(account.frame(("1", "a", 10)), state="s4"),
        )  # fmt: skip


@pytest.mark.parametrize("key", ["sf_assets.keys", "sf_assets.provisional"])
@pytest.mark.parametrize("text", ["{", "5", '"id"', "[5]"])
def test_an_unreadable_property_returns_to_the_metadata_before(account, another, key, text):
    account.table.transaction().set_properties({key: text}).commit_transaction()

    steps = repair(another())

    assert steps.action is RepairAction.RESTORE_METADATA
    assert key in steps.damage[0].what
    account.tables = another()
    assert account.facts.rows == 4
    assert plan(another()).action is RepairAction.NOTHING


def test_a_catalog_of_an_older_form_is_damaged(account, another, tmp_path):
    with sqlite3.connect(tmp_path / "catalog.db") as catalog:
        catalog.execute("ALTER TABLE iceberg_tables DROP COLUMN metadata_location")

    with pytest.raises(CatalogDamaged, match="no such column") as error_info:
        another().facts("account")

    assert "sf-assets repair" in error_info.value.remedy


@pytest.mark.slow
def test_a_locked_catalog_is_not_opened_five_times(tmp_path):
    path = tmp_path / "locked.db"
    with sqlite3.connect(path, isolation_level=None) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        properties = {"type": "sql", "uri": f"sqlite:///{path}?timeout=1", "warehouse": f"file://{tmp_path}"}
        began = time.monotonic()

        with pytest.raises(IcebergUnreachable, match="locked"):
            IcebergTables("test", "salesforce", properties).facts("account")

    assert time.monotonic() - began < 12  # pyiceberg waits four times; with five tries it took 20 s
