"""Rows of a table's or a history's files, in the columns and types of the history."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from pyiceberg.io import FileIO
from pyiceberg.schema import Schema

from sf_assets.iceberg.commit.casting import cast_frame
from sf_assets.iceberg.commit.data_files import POSITION, LiveFile, read_batches, read_rows


@dataclass(frozen=True)
class Rows:
    """Some rows of a file: those at the positions, or all live ones (None)."""

    file: LiveFile
    positions: pl.Series | None = None


@dataclass(frozen=True)
class RowSource:
    """A reader of rows. `schema`: that of the files. `names`: its names -> those of the history."""

    io: FileIO
    schema: Schema
    names: Mapping[str, str]
    types: Mapping[str, pl.DataType]
    table: str

    @property
    def columns(self) -> list[str]:
        """The names of the columns in the history."""
        return list(self.names.values())

    def batches(self, rows: Rows, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """Yield the rows with POSITION. `columns`: names in the history; default: all."""
        wanted = [name for name, own in self.names.items() if columns is None or own in columns]
        if rows.positions is None:
            frames = read_batches(self.io, rows.file, schema=self.schema, columns=wanted)
        elif len(rows.positions) == 0:
            return
        else:
            frames = iter([read_rows(self.io, rows.file, rows.positions, schema=self.schema, columns=wanted)])
        for frame in frames:
            renamed = frame.drop(POSITION).rename({name: self.names[name] for name in wanted})
            yield cast_frame(renamed, self.types, table=self.table).with_columns(frame[POSITION])
