"""The type of a Salesforce field in Polars, Iceberg and Snowflake."""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl
from pyiceberg.types import (
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    IcebergType,
    IntegerType,
    LongType,
    StringType,
    TimestamptzType,
)

MONEY_DIGITS, MONEY_SCALE = 38, 6
"""Salesforce does not round money to its column's scale: six digits at least are kept."""
MOST_MONEY_SCALE = 18
"""Salesforce's fields have at most 18 digits; a describe that says more leaves 20 before the point."""


class Types(NamedTuple):
    """What one Salesforce type is elsewhere."""

    polars: pl.DataType
    iceberg: IcebergType
    snowflake: str


def money(scale: int) -> Types:
    return Types(pl.Decimal(MONEY_DIGITS, scale), DecimalType(MONEY_DIGITS, scale), f"NUMBER({MONEY_DIGITS}, {scale})")


TEXT = Types(pl.String(), StringType(), "VARCHAR")


MOMENT = Types(pl.Datetime("us", "UTC"), TimestamptzType(), "TIMESTAMP_LTZ(6)")


TYPES: Mapping[str, Types] = {
    # Salesforce         Polars        Iceberg        Snowflake
    "anyType": TEXT,
    "base64": TEXT,
    "combobox": TEXT,
    "email": TEXT,
    "encryptedstring": TEXT,
    "id": TEXT,
    "multipicklist": TEXT,
    "phone": TEXT,
    "picklist": TEXT,
    "reference": TEXT,
    "string": TEXT,
    "textarea": TEXT,
    "url": TEXT,
    "boolean": Types(pl.Boolean(), BooleanType(), "BOOLEAN"),
    "int": Types(pl.Int32(), IntegerType(), "NUMBER(10, 0)"),
    "long": Types(pl.Int64(), LongType(), "NUMBER(19, 0)"),
    "double": Types(pl.Float64(), DoubleType(), "FLOAT"),
    "percent": Types(pl.Float64(), DoubleType(), "FLOAT"),
    "currency": money(MONEY_SCALE),
    "date": Types(pl.Date(), DateType(), "DATE"),
    "datetime": MOMENT,
    "time": TEXT,  # 10:15:00.000; Spark cannot read a table that has a column of Iceberg's type time
}
