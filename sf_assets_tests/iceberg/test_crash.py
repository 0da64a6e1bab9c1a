"""A process killed at any moment of a merge leaves the old table or the new one, never something between."""

import random
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SCRIPT = """
import sys
from datetime import UTC, datetime, timedelta
import polars as pl
from pyiceberg.types import LongType, StringType
from sf_assets.iceberg.model import UNCHECKED, Chunk, TableColumn
from sf_assets.iceberg.tables import IcebergTables

folder, turn = sys.argv[1], int(sys.argv[2])
properties = {"type": "sql", "uri": f"sqlite:///{folder}/catalog.db", "warehouse": f"file://{folder}/lake"}
tables = IcebergTables("salesforce", "salesforce", properties)
columns = [TableColumn("id", StringType()), *(TableColumn(f"v{n}", LongType()) for n in range(30))]
rows = range(turn * 1000, turn * 1000 + 20_000)
frame = pl.DataFrame({"id": [f"{n:08}" for n in rows], **{f"v{n}": [turn] * len(rows) for n in range(30)}})
print("ready", flush=True)
chunks = [Chunk(frame, str(turn))]
tables.merge("account", columns=columns, keys=("id",), stamp=None, chunks=chunks, base=UNCHECKED)
print("done", flush=True)
"""


def merge_and_kill(folder: Path, turn: int, *, after_seconds: float | None) -> bool:
    """Run one merge in a process of its own; whether it came to its end."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), str(turn)], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            process.wait(after_seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        return process.stdout.readline() == "done\n"


def test_a_killed_merge_is_all_or_nothing(tmp_path, another):
    chance = random.Random(3)
    assert merge_and_kill(tmp_path, 0, after_seconds=None)
    tables = another()

    for turn in range(1, 4):
        before = tables.facts("account")
        is_done = merge_and_kill(tmp_path, turn, after_seconds=chance.uniform(0.02, 0.3))
        after = tables.facts("account")
        rows = tables.scan("account").select("id", "v29").collect()

        assert after.state in {before.state, str(turn)}
        assert not is_done or after.state == str(turn)
        assert rows["id"].is_unique().all()
        assert rows.height == after.rows
        assert rows["v29"].max() == int(after.state)
        assert rows.filter(rows["v29"] == int(after.state)).height == 20_000


def test_what_a_killed_merge_leaves_is_swept_after_a_day(account, another, tmp_path):
    account.merge(account.frame(("1", "a", 1)), state="s1")
    orphan = next((tmp_path / "lake").rglob("*.parquet")).with_name("left-behind.parquet")
    orphan.write_bytes(b"half a file")

    assert another().remove_orphan_files("account") == ()
    tomorrow = another(now=lambda: datetime.now(UTC) + timedelta(days=1, minutes=1))
    paths = tomorrow.remove_orphan_files("account")

    assert [path.removeprefix("file://") for path in paths] == [str(orphan)]
    assert not orphan.exists()
    assert account.rows() == [("1", "a")]
