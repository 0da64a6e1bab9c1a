"""Position deletes: the rows of a data file that are hidden."""

import uuid

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io import FileIO
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat

from sf_assets.iceberg.commit.counting_file import CountingOutputFile
from sf_assets.iceberg.commit.data_files import DELETED_PATH_ID, DELETED_POSITION_ID, FIELD_ID, LiveFile

DELETE_SCHEMA = pa.schema(
    [
        pa.field("file_path", pa.string(), nullable=False, metadata={FIELD_ID: str(DELETED_PATH_ID)}),
        pa.field("pos", pa.int64(), nullable=False, metadata={FIELD_ID: str(DELETED_POSITION_ID)}),
    ]
)


def write_deletes(io: FileIO, file: LiveFile, positions: pl.Series, *, path: str) -> DataFile:
    """Write the delete file of one data file. `positions` must be ascending.

    The path bounds let readers attach it to that data file alone.
    """
    paths = pa.array([file.path] * len(positions), pa.string())
    table = pa.table([paths, positions.to_arrow().cast(pa.int64())], schema=DELETE_SCHEMA)
    output = CountingOutputFile(io.new_output(path))
    with output.create() as stream:
        pq.write_table(table, stream, compression="zstd")
    delete = DataFile.from_args(
        content=DataFileContent.POSITION_DELETES,
        file_path=path,
        file_format=FileFormat.PARQUET,
        partition=file.data.partition,
        record_count=len(positions),
        file_size_in_bytes=len(output),
        lower_bounds=_bounds(file, positions[0]),
        upper_bounds=_bounds(file, positions[-1]),
    )
    delete.spec_id = file.data.spec_id
    return delete


def delete_file_name() -> str:
    return f"{uuid.uuid4()}-deletes.parquet"


def _bounds(file: LiveFile, position: int) -> dict[int, bytes]:
    return {DELETED_PATH_ID: file.path.encode(), DELETED_POSITION_ID: position.to_bytes(8, "little", signed=True)}
