"""A change that dies, or meets a failing disk, at any file operation leaves the old table or the new one."""

import pytest

from sf_assets_tests.iceberg.chaos import CHANGES, Strike, play, prepare, strike_with


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", ["kill", "EIO"])
def test_a_struck_change_leaves_the_old_table_or_the_new_one(tmp_path, change, kind):
    assert play(7, tmp_path, change, kind).wrong == ""


@pytest.mark.parametrize("change", ["merge", "erasure"])
def test_the_last_file_operation_may_be_struck_too(tmp_path, change):
    """After the commit nothing may be missing that a snapshot names."""
    _, act, _, _ = prepare(tmp_path, 3, change)
    counter = strike_with(Strike())
    act()

    assert counter.count > 10
