"""Write frames into data files as they come: about 500,000 rows or 128 MB a file, one open at a time."""

import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress

import polars as pl
from pyiceberg.io import FileIO
from pyiceberg.io.fileformat import DataFileStatistics, FileFormatFactory, FileFormatWriter
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.schema import Schema
from pyiceberg.table.locations import LocationProvider
from pyiceberg.typedef import Record

from sf_assets.iceberg.commit.casting import arrow_schema, to_arrow
from sf_assets.iceberg.commit.counting_file import CountingOutputFile

FILE_ROWS = 500_000
FILE_BYTES = 512 * 1024 * 1024
"""In memory; about a quarter of it on disk."""


class DataFileWriter:
    """A writer of complete frames of one schema. `files` are the closed files."""

    def __init__(
        self, *, io: FileIO, schema: Schema, locations: LocationProvider, properties: Mapping[str, str], spec_id: int
    ) -> None:
        self.files: list[DataFile] = []
        self._io = io
        self._schema = schema
        self._arrow = arrow_schema(schema)
        self._locations = locations
        self._properties = dict(properties)
        self._spec_id = spec_id
        self._run = uuid.uuid4()
        self._paths: list[str] = []
        self._open: FileFormatWriter | None = None
        self._open_rows = self._open_bytes = 0

    def add(self, frame: pl.DataFrame) -> None:
        """Write the rows; close the file when it is full."""
        if frame.is_empty():
            return
        if self._open is None:
            self._open = self._new_file()
        table = to_arrow(frame, self._arrow)
        self._open.write(table)
        self._open_rows += table.num_rows
        self._open_bytes += table.nbytes
        if self._open_rows >= FILE_ROWS or self._open_bytes >= FILE_BYTES:
            self.close_file()

    def close_file(self) -> None:
        """Finish the open file, so that it can be read and committed."""
        if self._open is None:
            return
        statistics = _encodable(self._open.close())
        file = DataFile.from_args(
            content=DataFileContent.DATA,
            file_path=self._paths[-1],
            file_format=FileFormat.PARQUET,
            partition=Record(),
            file_size_in_bytes=len(self._output),
            **statistics.to_serialized_dict(),
        )
        file.spec_id = self._spec_id
        self.files.append(file)
        self._open = None
        self._open_rows = self._open_bytes = 0

    @property
    def is_empty(self) -> bool:
        """Whether no row was written here."""
        return not self.files and self._open is None

    def keep(self) -> None:
        """Leave the written files to the table; `discard` no longer removes them."""
        self._paths.clear()

    def discard(self) -> None:
        """Remove every file that was written here. What remains is a harmless orphan."""
        if self._open is not None:
            with suppress(OSError, ValueError):  # ValueError: nothing could be written to it at all
                self._open.close()
            self._open = None
        remove_files(self._io, self._paths)
        self.files.clear()
        self._paths.clear()

    def _new_file(self) -> FileFormatWriter:
        name = f"{self._run}-{len(self._paths):05d}.parquet"
        self._paths.append(self._locations.new_data_location(name))
        self._output = CountingOutputFile(self._io.new_output(self._paths[-1]))
        return FileFormatFactory.get(FileFormat.PARQUET).create_writer(self._output, self._schema, self._properties)


def _encodable(statistics: DataFileStatistics) -> DataFileStatistics:
    """Return the statistics without upper bounds that are not valid text.

    pyiceberg rounds a long text up to the next code point. The one after U+D7FF is a surrogate. Without a bound the
    column is read where it might have been skipped.
    """
    for aggregate in statistics.column_aggregates.values():
        try:
            aggregate.max_as_bytes()
        except UnicodeEncodeError:
            aggregate.current_max = None
    return statistics


def remove_files(io: FileIO, paths: Sequence[str]) -> None:
    """Delete files of a commit that did not happen."""
    for path in paths:
        with suppress(OSError):
            io.delete(path)
