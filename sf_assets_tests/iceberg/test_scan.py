"""Reading a table: the current snapshot, right with deletes and evolved columns, and only what is asked for."""

import polars as pl
import pytest
from pyiceberg.types import StringType

from sf_assets.errors import IcebergError
from sf_assets.iceberg.model import TableColumn


def test_a_scan_of_no_table_says_so(account):
    with pytest.raises(IcebergError, match="account"):
        account.tables.scan("account")


def test_a_scan_sees_the_snapshot_of_its_making(account):
    account.merge(account.frame(("1", "a", 1)), state="s1")
    scan = account.tables.scan("account")

    account.merge(account.frame(("1", "b", 2), ("2", "c", 2)), state="s2")

    assert scan.collect()["name"].to_list() == ["a"]
    assert account.rows("name") == [("b",), ("c",)]


def test_projection_and_predicate_are_right_over_deletes_and_added_columns(account):
    account.merge(account.frame(*[(str(n), "old", n) for n in range(10)]), state="s1")
    account.columns = (*account.columns, TableColumn("rating__c", StringType()))
    account.merge(account.frame(("3", "new", 50), ("x", "new", 51), rating__c=pl.lit("hot")), state="s2")
    scan = account.tables.scan("account")

    hot = scan.filter(pl.col("rating__c") == "hot").select("id").sort("id").collect()
    old = scan.filter(pl.col("name") == "old").select(pl.len()).collect().item()
    lone = scan.filter(pl.col("id") == "3").collect()

    assert hot["id"].to_list() == ["3", "x"]
    assert old == 9
    assert lone.select("name", "rating__c").row(0) == ("new", "hot")


def test_a_filter_reads_only_the_files_that_may_match(account):
    account.merge(account.frame(*[(f"a{n}", "x", 1) for n in range(5)]), state="s1")
    account.merge(account.frame(*[(f"b{n}", "x", 1) for n in range(5)]), state="s2")
    [first] = [t.file.file_path for t in account.table.scan().plan_files() if t.file.lower_bounds[1] == b"a0"]
    account.table.io.delete(first)

    assert account.tables.scan("account").filter(pl.col("id") == "b3").collect().height == 1
