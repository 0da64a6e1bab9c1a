"""Refuse records without a usable Id: it is the key of a row."""

import re
from collections.abc import Sequence

from sf_assets.sync.columns import Column
from sf_assets.sync.values import ColumnValues

REQUIRED = frozenset({"Id", "IsDeleted", "SystemModstamp"})
"""A record must have these, and its keys: they identify the row, its version and whether it is deleted."""
# Visible ASCII without the quote and the backslash of SOQL. Ids of records have 15 or 18 letters and digits; those of
# metadata and of emulators have other forms.
_ID = re.compile(r"[!-&(-\[\]-~]{1,255}")


def refuse_unidentified(values: ColumnValues, columns: Sequence[Column]) -> None:
    """Refuse a record with an Id that is NULL or can be no Id.

    Two Ids with broken characters would be one key, and one of their rows would be lost. Raises: ValueUnexpected.
    """
    for column, cells in zip(columns, values.cells, strict=True):
        if column.api_name == "Id":
            odd = next((row for row, cell in enumerate(cells) if not _is_id(cell)), None)
            if odd is not None:
                why = "a record without Id" if cells[odd] is None else "not an Id"
                raise values.misfit(column, odd, cells[odd], why)


def _is_id(cell: object) -> bool:
    return isinstance(cell, str) and _ID.fullmatch(cell) is not None
