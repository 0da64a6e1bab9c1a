"""`deleted = "remove"`: rows that Salesforce has deleted are not written, and those that were written are erased."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from sf_assets.iceberg.model import Chunk
    from sf_assets.iceberg.tables import IcebergTables
    from sf_assets.specs.model import EndpointSpec

DELETED = "is_deleted"


def forgets(spec: "EndpointSpec") -> bool:
    """Whether the endpoint's deleted rows are to go."""
    return spec.deleted == "remove" and spec.has_is_deleted


def without_strangers(chunks: "Iterator[Chunk]", warehouse: "IcebergTables", spec: "EndpointSpec") -> "Iterator[Chunk]":
    """Pass on the chunks without deleted rows that the table does not have: there is nothing to take away by them."""
    from dataclasses import replace

    for chunk in chunks:
        frame = chunk.frame
        if DELETED in frame.columns and frame[DELETED].any():
            yield replace(chunk, frame=_known(frame, warehouse, spec))
        else:
            yield chunk


def _known(frame: "pl.DataFrame", warehouse: "IcebergTables", spec: "EndpointSpec") -> "pl.DataFrame":
    import polars as pl

    keys, gone = list(spec.keys), pl.col(DELETED).fill_null(False)
    if warehouse.facts(spec.endpoint) is None:
        return frame.filter(~gone)
    asked = frame.filter(gone).select(keys)
    ours = warehouse.scan(spec.endpoint).select(keys).filter(pl.col(keys[0]).is_in(asked[keys[0]].to_list())).collect()
    return pl.concat([frame.filter(~gone), frame.filter(gone).join(ours, on=keys, how="semi")])
