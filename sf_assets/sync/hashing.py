"""Hashed columns: their texts are replaced by keyed hashes before any file is written.

The same text has the same hash in every table, so joins and counts still work. Without the key, texts cannot be tried
until one fits.
"""

import hmac
from collections.abc import Collection
from dataclasses import replace

import polars as pl

from sf_assets.errors import ConfigError, SpecError, ValueUnexpected
from sf_assets.specs.model import EndpointSpec
from sf_assets.sync.columns import Column, ColumnPlan

SHORTEST_KEY = 32
"""Bytes: as many as the hash has."""
MARK = b"\0sf_assets: which key\0"
"""Salesforce texts have no NUL, so the fingerprint is never the hash of a value."""


def mark_hashed(plan: ColumnPlan, spec: EndpointSpec, key: bytes) -> ColumnPlan:
    """Return the plan with hashed columns marked in their docs.

    Raises:
        SpecError: a hashed column is not a text column.
        ConfigError: there is no key, or it is so short that it can be guessed.
    """
    if not spec.hashed:
        return plan
    if len(key) < SHORTEST_KEY:
        raise ConfigError(
            f"{spec.endpoint} has hashed columns, and their key has {len(key)} bytes; it needs {SHORTEST_KEY} or more",
            remedy="Put hash_key into the secret, or set SALESFORCE_HASH_KEY: openssl rand -hex 32. Never change it.",
            setting="SALESFORCE_HASH_KEY",
        )
    read, table = (tuple(_marked(column, spec) for column in columns) for columns in (plan.read, plan.table))
    return replace(plan, read=read, table=table)


def fingerprint(key: bytes) -> str:
    """Return 16 digits that identify a key. They reveal no more of it than the hashes do."""
    return hmac.digest(key, MARK, "sha256")[:8].hex()


def hashed_names(columns: Collection[Column], spec: EndpointSpec) -> tuple[str, ...]:
    """Return the table's names of the hashed columns among these."""
    return tuple(column.name for column in columns if _is_hashed(column, spec))


def without_texts(frame: pl.DataFrame, columns: Collection[str], key: bytes) -> pl.DataFrame:
    """Return the frame with hashes instead of the columns' texts; NULL stays NULL."""
    return frame.with_columns(_hashes(frame[name], key) for name in columns if name in frame.columns)


def without_value(error: ValueUnexpected, spec: EndpointSpec) -> ValueUnexpected:
    """Return the error without the value of a hashed column. Messages go into logs."""
    column = str(error.values.get("column", ""))
    if column.lower() not in {name.lower() for name in spec.hashed}:
        return error
    record_id = error.values.get("record_id")
    what = f"{spec.sobject}.{column} of record {record_id} has a value that its type does not admit; it is not shown."
    return ValueUnexpected(what, object=spec.sobject, column=column, record_id=record_id)


def _hashes(texts: pl.Series, key: bytes) -> pl.Series:
    hashes = [None if text is None else hmac.digest(key, text.encode(), "sha256").hex() for text in texts]
    return pl.Series(texts.name, hashes, dtype=pl.String)


def _marked(column: Column, spec: EndpointSpec) -> Column:
    if not _is_hashed(column, spec):
        return column
    if column.polars != pl.String():
        raise SpecError(
            f"Endpoint {spec.endpoint}: {column.api_name} is of type {column.type}; only a text can be hashed.",
            remedy=f'Exclude it: excluded = ["{column.api_name}"] in [override.{spec.endpoint}].',
            endpoint=spec.endpoint,
            column=column.api_name,
        )
    return replace(column, doc=f"{column.doc} Keyed hash (HMAC-SHA256).")


def _is_hashed(column: Column, spec: EndpointSpec) -> bool:
    return column.api_name.lower() in {name.lower() for name in spec.hashed}
