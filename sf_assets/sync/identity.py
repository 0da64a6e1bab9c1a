"""Refuse records without what identifies them: their Id, their version, and whether they are deleted."""

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
    """Refuse a record without a usable Id, a stamp or a mark of deletion.

    Two Ids with broken characters would be one key, and one of their rows would be lost. Raises: ValueUnexpected.
    """
    for column, cells in zip(columns, values.cells, strict=True):
        if column.api_name not in REQUIRED:
            continue
        present = list(cells)
        if None in present:
            raise values.misfit(column, present.index(None), None, f"a record without {column.api_name}")
        if column.api_name == "Id" and not _are_ids(present):
            odd = next(row for row, cell in enumerate(present) if not _are_ids([cell]))
            raise values.misfit(column, odd, present[odd], "not an Id")


def _are_ids(cells: Sequence[object]) -> bool:
    return all(isinstance(cell, str) and _ID.fullmatch(cell) for cell in cells)
