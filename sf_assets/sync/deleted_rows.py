"""Rows that Salesforce has deleted.

With `deleted = "remove"` they are not written, and rows written before are erased.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl

from sf_assets.iceberg.model import Chunk, DeletedRows
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.specs.model import EndpointSpec

DELETED = "is_deleted"
RECYCLE_BIN = timedelta(days=15)
"""How long Salesforce keeps a deleted row ("Deleted records stay in the Recycle Bin for 15 days")."""


def removes_deleted(spec: EndpointSpec) -> bool:
    """Return whether the endpoint's deleted rows are removed from the table."""
    return spec.deleted == "remove" and spec.has_is_deleted


def purged_rows(spec: EndpointSpec, now: datetime) -> DeletedRows | None:
    """Return which rows the recycle bin may take from the table.

    None: the object has no IsDeleted.
    """
    return DeletedRows(DELETED, spec.stamp_column, now - RECYCLE_BIN) if spec.has_is_deleted else None


def drop_unknown_deleted(chunks: Iterator[Chunk], tables: IcebergTables, spec: EndpointSpec) -> Iterator[Chunk]:
    """Yield the chunks without deleted rows that the table does not have: they change nothing."""
    for chunk in chunks:
        frame = chunk.frame
        if DELETED in frame.columns and frame[DELETED].any():
            yield replace(chunk, frame=_live_or_known(frame, tables, spec))
        else:
            yield chunk


def _live_or_known(frame: pl.DataFrame, tables: IcebergTables, spec: EndpointSpec) -> pl.DataFrame:
    keys, is_deleted = list(spec.keys), pl.col(DELETED).fill_null(False)
    live, deleted = frame.filter(~is_deleted), frame.filter(is_deleted)
    if tables.facts(spec.endpoint) is None:
        return live
    has_first_key = pl.col(keys[0]).is_in(deleted[keys[0]].to_list())
    scan = tables.scan(spec.endpoint).select(keys).filter(has_first_key)
    in_table = tables.read(spec.endpoint, scan)
    return pl.concat([live, deleted.join(in_table, on=keys, how="semi")])
