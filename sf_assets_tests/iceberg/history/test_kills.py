"""An update that is killed at any file operation leaves the old history or the whole new one."""

from contextlib import suppress
from pathlib import Path

import pytest

from sf_assets.errors import IcebergError
from sf_assets_tests.iceberg.chaos import Killed, Strike, prepare, strike_with


def rows(lake):
    frame = lake.tables().scan("account_changes").sort("_change_number", "id").collect()
    return frame.drop("_snapshot_id").rows()


def play_history(folder: Path):
    """Return a lake with a history that is some snapshots behind."""
    folder.mkdir()
    strike_with(Strike())
    lake, act, *_ = prepare(folder, 5, "merge")
    lake.tables().histories.update("account")
    act()
    lake.merge(lake.news(), "more")
    return lake


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("kill", 0.3), ("kill", 0.9), ("kill", 1.0), ("EIO", 0.8),
        *(pytest.param(*case, marks=pytest.mark.heavy) for case in (("kill", 0.7), ("kill", 0.95), ("EIO", 1.0))),
    ],
)  # fmt: skip
def test_a_struck_update_is_completed_by_the_next_one(tmp_path, kind, part):
    whole = play_history(tmp_path / "whole")
    old = rows(whole)
    counter = strike_with(Strike())
    whole.tables().histories.update("account")
    new = rows(whole)
    lake = play_history(tmp_path / "struck")

    strike_with(Strike(kind, max(1, round(part * counter.count))))
    with suppress(Killed, IcebergError):
        lake.tables().histories.update("account")
    strike_with(Strike())

    assert rows(lake) in (old, new)
    lake.tables().histories.update("account")
    assert rows(lake) == new
