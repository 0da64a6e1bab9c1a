"""How a table's columns follow those that are given: in the commit of the rows, and never away."""

import json
from dataclasses import replace
from datetime import time

import polars as pl
import pytest
from pyiceberg.schema import Schema
from pyiceberg.types import (
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
    TimeType,
)

from sf_assets.errors import ColumnIncompatible, ValueUnexpected
from sf_assets.iceberg.commit.schema_evolution import plan_evolution
from sf_assets.iceberg.model import TableColumn
from sf_assets_tests.iceberg.conftest import COLUMNS


def with_columns(account, *more):
    account.columns = (*account.columns, *more)


def type_of(account, name):
    return account.table.schema().find_field(name).field_type


def test_a_new_column_comes_in_the_commit_of_its_rows(account):
    account.merge(account.frame(("1", "Acme", 1)), state="s1")
    log = len(account.table.metadata.metadata_log)
    with_columns(account, TableColumn("rating__c", StringType(), "Rating__c: Rating"))

    result = account.merge(account.frame(("2", "Bolt", 2), rating__c=pl.lit("hot")), state="s2")

    assert result.added_columns == ("rating__c",)
    assert len(account.table.metadata.metadata_log) == log + 1
    assert account.table.schema().find_field("rating__c").doc == "Rating__c: Rating"
    assert account.rows("id", "rating__c") == [("1", None), ("2", "hot")]


def test_a_new_column_comes_even_where_no_row_is_news(account):
    account.merge(account.frame(("1", "Acme", 1)), state="s1")
    with_columns(account, TableColumn("rating__c", StringType()))

    result = account.merge(account.frame(("1", "Acme", 1)), state="s2")

    assert (result.commits, result.added_columns) == (0, ("rating__c",))
    assert "rating__c" in account.facts.columns
    assert account.facts.state == "s1"


def test_settling_brings_new_columns_too(account):
    account.merge(account.frame(("1", "Acme", 1)), state="s1")
    with_columns(account, TableColumn("rating__c", StringType()))

    facts = account.tables.commit_state("account", columns=account.columns, base="s1", state="s2")

    assert "rating__c" in facts.columns


def test_a_column_that_is_no_longer_given_stays_with_its_values(account):
    account.merge(account.frame(("1", "Acme", 1), amount=pl.lit(3).cast(pl.Decimal(38, 6))), state="s1")
    account.columns = tuple(column for column in account.columns if column.name != "amount")

    account.merge(account.frame(("1", "Apex", 2)), state="s2")

    assert account.rows("name", "amount") == [("Apex", 3)]


def test_a_changed_doc_waits_for_the_next_rows(account):
    account.merge(account.frame(("1", "Acme", 1)), state="s1")
    before = account.facts
    account.columns = tuple(
        replace(column, doc="Account Name") if column.name == "name" else column for column in account.columns
    )

    account.merge(account.frame(("1", "Acme", 1)), state="s2")
    assert account.facts == before

    account.merge(account.frame(("2", "Bolt", 2)), state="s2")
    assert account.table.schema().find_field("name").doc == "Account Name"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("narrow", "wide", "old", "new"),
    [
        (IntegerType(), LongType(), pl.Int32, pl.Int64),
        (FloatType(), DoubleType(), pl.Float32, pl.Float64),
        (DecimalType(10, 2), DecimalType(18, 2), pl.Decimal(10, 2), pl.Decimal(18, 2)),
    ],
)
def test_a_widened_type_is_followed_and_old_rows_are_read(account, narrow, wide, old, new):
    plain = account.columns
    with_columns(account, TableColumn("size", narrow))
    account.merge(account.frame(("1", "Acme", 1), size=pl.lit(5).cast(old)), state="s1")
    account.columns = (*plain, TableColumn("size", wide))

    result = account.merge(account.frame(("1", "Acme", 1), ("2", "Bolt", 2), size=pl.lit(5).cast(new)), state="s2")

    assert type_of(account, "size") == wide
    assert (result.unchanged, result.inserted) == (1, 1)
    assert account.rows("id", "size") == [("1", 5), ("2", 5)]


def test_a_table_that_is_wider_already_stays_so(account):
    plain = account.columns
    with_columns(account, TableColumn("size", LongType()))
    account.merge(account.frame(("1", "Acme", 1), size=pl.lit(5)), state="s1")
    account.columns = (*plain, TableColumn("size", IntegerType()))

    account.merge(account.frame(("2", "Bolt", 2), size=pl.lit(6).cast(pl.Int32)), state="s2")

    assert type_of(account, "size") == LongType()
    assert account.rows("id", "size") == [("1", 5), ("2", 6)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (DecimalType(18, 2), DecimalType(18, 4)),
        (DecimalType(18, 4), DecimalType(18, 2)),
        (LongType(), StringType()),
        (IntegerType(), DoubleType()),
        (StringType(), BooleanType()),
        (DateType(), StringType()),
    ],
)
def test_another_type_is_refused_by_name_and_nothing_changes(account, old, new):
    plain = account.columns
    with_columns(account, TableColumn("size", old))
    account.merge(account.frame(("1", "Acme", 1)), state="s1")
    before = account.facts
    account.columns = (*plain, TableColumn("size", new))

    with pytest.raises(ColumnIncompatible) as refusal:
        account.merge(account.frame(("2", "Bolt", 2)), state="s2")

    assert refusal.value.values["column"] == "size"
    assert account.facts == before


@pytest.mark.parametrize("where", ["given", "in the table"])
def test_names_that_differ_by_case_alone_are_refused(account, where):
    if where == "in the table":
        account.merge(account.frame(("1", "Acme", 1)), state="s1")
    with_columns(account, TableColumn("Name", StringType()))

    with pytest.raises(ColumnIncompatible, match="Name"):
        account.merge(account.frame(("2", "Bolt", 2)), state="s2")


def test_a_provisional_column_gets_its_real_type_with_its_rows(account):
    plain = account.columns
    with_columns(account, TableColumn("employees", StringType(), provisional=True))
    account.merge(account.frame(("1", "Acme", 1)), state="s1")
    assert json.loads(account.table.properties["sf_assets.provisional"]) == ["employees"]
    log = len(account.table.metadata.metadata_log)
    account.columns = (*plain, TableColumn("employees", IntegerType(), "NumberOfEmployees"))

    account.merge(account.frame(("2", "Bolt", 2), employees=pl.lit(7).cast(pl.Int32)), state="s2")

    assert type_of(account, "employees") == IntegerType()
    assert json.loads(account.table.properties["sf_assets.provisional"]) == []
    assert len(account.table.metadata.metadata_log) == log + 1
    assert account.rows("id", "employees") == [("1", None), ("2", 7)]


def test_a_provisional_column_that_proves_right_just_leaves_the_list(account):
    plain = account.columns
    with_columns(account, TableColumn("employees", IntegerType(), provisional=True))
    account.merge(account.frame(("1", "Acme", 1)), state="s1")
    field = account.table.schema().find_field("employees").field_id
    account.columns = (*plain, TableColumn("employees", IntegerType()))

    account.merge(account.frame(("2", "Bolt", 2), employees=pl.lit(7).cast(pl.Int32)), state="s2")

    assert account.table.schema().find_field("employees").field_id == field
    assert json.loads(account.table.properties["sf_assets.provisional"]) == []


def test_a_better_guess_replaces_a_guess(account):
    plain = account.columns
    with_columns(account, TableColumn("employees", StringType(), provisional=True))
    account.merge(account.frame(("1", "Acme", 1)), state="s1")
    account.columns = (*plain, TableColumn("employees", LongType(), provisional=True))

    account.merge(account.frame(("2", "Bolt", 2)), state="s2")

    assert type_of(account, "employees") == LongType()
    assert json.loads(account.table.properties["sf_assets.provisional"]) == ["employees"]


def test_a_guess_does_not_touch_a_column_that_is_real(account):
    """A column that the user no longer sees is planned from the catalogue again."""
    plain = account.columns
    with_columns(account, TableColumn("employees", IntegerType()))
    account.merge(account.frame(("1", "Acme", 1), employees=pl.lit(7).cast(pl.Int32)), state="s1")
    account.columns = (*plain, TableColumn("employees", StringType(), provisional=True))

    account.merge(account.frame(("1", "Apex", 2)), state="s2")

    assert type_of(account, "employees") == IntegerType()
    assert json.loads(account.table.properties["sf_assets.provisional"]) == []
    assert account.rows("name", "employees") == [("Apex", 7)]


def test_the_plan_of_a_table_that_fits_is_empty():
    schema = Schema(NestedField(1, "id", StringType(), doc="Id"))

    plan = plan_evolution(schema, [TableColumn("id", StringType(), "Id")], provisional=(), table="account")

    assert not plan.changes_schema
    assert not plan.is_needed


def test_a_time_column_of_a_former_version_takes_text_until_a_full_refresh(account):
    """Former versions stored times of day in Iceberg's type time, which Spark cannot read."""
    account.columns = (*COLUMNS, TableColumn("opens_at", TimeType()))
    account.merge(account.frame(("1", "a", 10), opens_at=pl.lit(time(10, 15))), state="s1")
    account.columns = (*COLUMNS, TableColumn("opens_at", StringType()))

    account.merge(account.frame(("2", "b", 20), opens_at=pl.lit("11:30:00.000")), state="s2")

    assert account.rows("id", "opens_at") == [("1", time(10, 15)), ("2", time(11, 30))]
    with pytest.raises(ValueUnexpected, match="opens_at takes Time; the value 'noon'"):
        account.merge(account.frame(("2", "b", 30), opens_at=pl.lit("noon")), state="s3")
    rows = account.frame(("1", "a", 10), ("2", "b", 20)).with_columns(pl.Series("opens_at", ["10:15:00.000", None]))
    account.replace(rows, state="s3", retype=True)
    assert account.table.schema().find_field("opens_at").field_type == StringType()
    assert account.rows("id", "opens_at") == [("1", "10:15:00.000"), ("2", None)]
