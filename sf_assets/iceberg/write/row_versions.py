"""Which of two versions of a row wins: pure decisions over frames, without I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from sf_assets.errors import KeysRepeated
from sf_assets.iceberg.commit.data_files import POSITION
from sf_assets.iceberg.model import SYNCED_AT

FILE = "__file"
VERDICT = "__verdict"
OLD = "__old"
"""Suffix of the table's values next to the frame's."""


@dataclass(frozen=True)
class MergeRule:
    """The key columns, and the column (if any) that orders two versions of a row."""

    keys: tuple[str, ...]
    stamp: str | None

    def within(self, columns: Sequence[str]) -> "MergeRule":
        """Return the rule for these columns; without a stamp every difference is news."""
        return self if self.stamp in columns else MergeRule(self.keys, None)

    def ordering(self, columns: Sequence[str]) -> list[str]:
        """Return the present columns that order versions, the strongest first."""
        return [name for name in (self.stamp, SYNCED_AT) if name is not None and name in columns]

    def compared(self, columns: Sequence[str]) -> list[str]:
        """Return the columns in which a difference is news."""
        return [name for name in columns if name != SYNCED_AT and name not in self.keys]


def span(column: pl.Series) -> tuple[Any, Any]:
    """Return the least and greatest value, or None, None without values."""
    return column.min(), column.max()


def refuse_null_keys(frame: pl.DataFrame, keys: Sequence[str], *, table: str) -> None:
    """Raise KeysRepeated if a key is NULL or missing: lookups need it."""
    missing = [key for key in keys if key not in frame.columns or frame[key].null_count()]
    if missing:
        raise KeysRepeated(f"{table}: key column {', '.join(missing)} is null in some row", table=table)


def latest(frame: pl.DataFrame, rule: MergeRule) -> tuple[pl.DataFrame, int]:
    """Return one version a key, and the count of dropped rows with equal content.

    The greater stamp wins, then the later `_synced_at`, then the later position.
    """
    if not frame.select(rule.keys).is_duplicated().any():
        return frame, 0
    ordered = _oldest_first(frame, rule)
    winners = ordered.unique(rule.keys, keep="last", maintain_order=True)
    content = [*rule.keys, *rule.compared(frame.columns)]
    equal = ordered.join(winners, on=content, how="semi", nulls_equal=True).height - winners.height
    return winners, equal


def latest_in_table(versions: pl.DataFrame, rule: MergeRule) -> pl.DataFrame:
    """Return one version a key, in case another tool wrote a key twice."""
    return _oldest_first(versions, rule).unique(rule.keys, keep="last", maintain_order=True)


def _oldest_first(frame: pl.DataFrame, rule: MergeRule) -> pl.DataFrame:
    """Sort the versions. Without a stamp a version is the oldest; ties keep their order."""
    by = rule.ordering(frame.columns)
    return frame.sort(by, nulls_last=False, maintain_order=True) if by else frame


def by_key(frame: pl.DataFrame, rule: MergeRule) -> pl.DataFrame:
    """Sort the rows by key, so that files and row groups have narrow bounds."""
    if len(rule.keys) == 1 and frame[rule.keys[0]].is_sorted():
        return frame
    return frame.sort(rule.keys)


def classify(frame: pl.DataFrame, versions: pl.DataFrame, rule: MergeRule) -> pl.DataFrame:
    """Join the table's version (FILE, POSITION) and add a VERDICT: new, newer, older or tie."""
    place = [*rule.keys, *rule.ordering(versions.columns), FILE, POSITION]
    in_table = versions.select(place).rename({name: name + OLD for name in rule.ordering(versions.columns)})
    joined = frame.join(in_table, on=rule.keys, how="left", maintain_order="left")
    return joined.with_columns(_verdict(rule, joined.columns).alias(VERDICT))


def _verdict(rule: MergeRule, columns: Sequence[str]) -> pl.Expr:
    """Return the verdict expression. A missing stamp is older than any.

    An older stamp of a later reading is a tie: the org's clock was set back.
    """
    is_new = pl.col(FILE).is_null()
    if rule.stamp is None:
        return pl.when(is_new).then(pl.lit("new")).otherwise(pl.lit("tie"))
    ours, theirs = pl.col(rule.stamp), pl.col(rule.stamp + OLD)
    is_older = (ours < theirs) | (ours.is_null() & theirs.is_not_null())
    is_newer = (ours > theirs) | (ours.is_not_null() & theirs.is_null())
    if {SYNCED_AT, SYNCED_AT + OLD} <= {*columns}:
        is_older &= (ours.is_null() | (pl.col(SYNCED_AT) <= pl.col(SYNCED_AT + OLD))).fill_null(True)
    return (
        pl.when(is_new).then(pl.lit("new")).when(is_older).then(pl.lit("older"))
        .when(is_newer).then(pl.lit("newer")).otherwise(pl.lit("tie"))
    )  # fmt: skip


def resolve_ties(ties: pl.DataFrame, rule: MergeRule, *, compared: Sequence[str]) -> pl.DataFrame:
    """Replace `tie` by same, newer or older.

    Equal content is the same, else the later reading wins. `ties` holds the table's values under `<column>__old`.
    """
    alike = [*compared, *([rule.stamp] if rule.stamp is not None else [])]
    same = pl.all_horizontal([pl.lit(True), *(pl.col(c).eq_missing(pl.col(c + OLD)) for c in alike)])
    later = pl.lit(True)
    if rule.stamp is not None and SYNCED_AT in ties.columns and SYNCED_AT + OLD in ties.columns:
        later = (pl.col(SYNCED_AT) >= pl.col(SYNCED_AT + OLD)).fill_null(True)
    verdict = pl.when(same).then(pl.lit("same")).when(later).then(pl.lit("newer")).otherwise(pl.lit("older"))
    return ties.with_columns(verdict.alias(VERDICT))
