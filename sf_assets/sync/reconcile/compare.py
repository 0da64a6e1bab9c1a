"""Rows of the org against rows of the table, by Id, IsDeleted and SystemModstamp. Pure."""

from dataclasses import dataclass

import polars as pl

ID, DELETED, STAMP = "id", "is_deleted", "system_modstamp"


@dataclass(frozen=True)
class Differences:
    """Ids of rows that differ.

    `outdated`: the org shows the row, and the table lacks it or has another version. `surplus`: the table has a live
    row that the org does not show.
    """

    outdated: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()

    def __add__(self, other: "Differences") -> "Differences":
        return Differences((*self.outdated, *other.outdated), (*self.surplus, *other.surplus))


def compare(org: pl.DataFrame, table: pl.DataFrame, *, keeps_deleted: bool = True) -> Differences:
    """Return what differs between two frames of the same range of Ids.

    `keeps_deleted` False: the table removes deleted rows, so that a deleted row of the org may be absent.
    """
    org, table = _identified(org).unique(ID, keep="last"), _identified(table)
    same = org.join(table, on=[ID, DELETED, STAMP], how="semi", nulls_equal=True)
    outdated = org.join(same, on=ID, how="anti")
    if not keeps_deleted:
        outdated = outdated.filter(~pl.col(DELETED) | pl.col(ID).is_in(table[ID].to_list()))
    surplus = table.filter(~pl.col(DELETED)).join(org, on=ID, how="anti")
    return Differences(tuple(outdated[ID].sort()), tuple(surplus[ID].sort()))


def _identified(frame: pl.DataFrame) -> pl.DataFrame:
    """Return Id, IsDeleted and SystemModstamp; an object without IsDeleted has live rows only."""
    deleted = pl.col(DELETED).fill_null(False) if DELETED in frame.columns else pl.lit(False)
    return frame.select(ID, deleted.alias(DELETED), STAMP)
