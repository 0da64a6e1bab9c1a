"""Long streams: memory is one buffer's, and files have the size that readers like."""

import polars as pl
import pytest
from pyiceberg.types import LongType

from sf_assets.iceberg.commit.data_writer import FILE_ROWS
from sf_assets.iceberg.model import Chunk, TableColumn
from sf_assets.iceberg.write.buffer import BUFFER_ROWS, Buffer

PAGE = 2_000


def pages(start, stop, *, value=0):
    for first in range(start, stop, PAGE):
        ids = range(first, min(first + PAGE, stop))
        yield pl.DataFrame({"id": list(ids), "value": [value] * len(ids)})


@pytest.fixture
def numbers(account):
    account.name, account.stamp = "numbers", None
    account.columns = (TableColumn("id", LongType()), TableColumn("value", LongType()))
    return account


def test_a_buffer_flushes_when_it_is_full_or_the_columns_change():
    buffer, frames = Buffer(), []
    for frame in pages(0, BUFFER_ROWS + 3 * PAGE):
        frames += [full.height for full in buffer.add(frame)]
    assert frames == [(BUFFER_ROWS // PAGE + 1) * PAGE]

    [before] = buffer.add(pl.DataFrame({"id": [1]}))
    assert before.columns == ["id", "value"]
    assert [rest.height for rest in buffer.flush()] == [1]
    assert list(buffer.flush()) == []


@pytest.mark.slow
def test_a_long_stream_becomes_one_commit_of_large_files(numbers):
    rows = FILE_ROWS + 100_000
    frames = [*pages(0, rows)]

    result = numbers.stream([*(Chunk(frame, None) for frame in frames), Chunk(frames[0].clear(), "s1")])

    sizes = sorted(task.file.record_count for task in numbers.table.scan().plan_files())
    assert (result.commits, result.files_written, result.inserted) == (1, 2, rows)
    assert sizes[0] + sizes[1] == rows
    assert sizes[1] >= FILE_ROWS
    assert numbers.facts.rows == rows


@pytest.mark.slow
def test_a_stream_that_comes_back_to_its_own_rows_finds_them(numbers):
    """The second round meets rows of the group that lie in a closed file and in the one that is being written."""
    first, second = [*pages(0, 3 * BUFFER_ROWS)], [*pages(BUFFER_ROWS, 2 * BUFFER_ROWS, value=7)]

    result = numbers.stream([*(Chunk(frame, None) for frame in first + second), Chunk(first[0].clear(), "s1")])

    rows = numbers.tables.scan("numbers").collect()
    assert rows["id"].n_unique() == rows.height == result.rows == 3 * BUFFER_ROWS
    assert rows.filter(pl.col("value") == 7).height == BUFFER_ROWS
    assert result.inserted == 3 * BUFFER_ROWS


@pytest.mark.slow
def test_a_long_replace_finds_identical_rows_that_come_again(numbers):
    frames = [*pages(0, 2 * BUFFER_ROWS), *pages(100, 200)]

    result = numbers.replace(*frames, state="s1")

    assert (result.inserted, result.unchanged) == (2 * BUFFER_ROWS, 100)
    assert numbers.replace(*frames, state="s2").commits == 0
