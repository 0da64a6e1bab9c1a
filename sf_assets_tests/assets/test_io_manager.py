"""Frames of other assets: stored by the same IO manager, and our tables loaded for them."""

from collections.abc import Iterator

import dagster as dg
import polars as pl
import pytest

from sf_assets.assets.io_manager import IcebergIOManager
from sf_assets.assets.resources import IcebergResource

# Dagster itself calls it, for a nested resource.
pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")

FRAME = pl.DataFrame({"name": ["Acme", "Umbrella"], "amount": [1, 2]})


@pytest.fixture
def iceberg(tmp_path) -> IcebergResource:
    """An empty lake of this test's own."""
    return IcebergResource(local_folder=str(tmp_path / "lake"))


@pytest.fixture
def run(iceberg, instance):
    """Materialize assets over that lake."""

    def materialize(*assets):
        manager = IcebergIOManager(iceberg=iceberg)
        return dg.materialize(assets, resources={"io_manager": manager}, instance=instance, raise_on_error=False)

    return materialize


def failure(result):
    return next(e for e in result.all_events if e.is_step_failure).step_failure_data.user_failure_data


def asset_of(value):
    @dg.asset(key=["marts", "totals"])
    def totals() -> dg.MaterializeResult:
        return dg.MaterializeResult(value=value())

    return totals


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(lambda: FRAME, id="a frame"),
        pytest.param(FRAME.lazy, id="a lazy frame"),
        pytest.param(lambda: iter([FRAME.head(1), FRAME.tail(1)]), id="a stream of frames"),
        pytest.param(lambda: [FRAME], id="a list of frames"),
    ],
)
def test_a_frame_becomes_the_table_of_the_keys_last_part(run, iceberg, value):
    result = run(asset_of(value))

    (materialization,) = result.asset_materializations_for_node("marts__totals")
    metadata = {name: entry.value for name, entry in materialization.metadata.items()}
    assert iceberg.tables().scan("totals").collect().equals(FRAME)
    assert (metadata["dagster/row_count"], metadata["dagster/table_name"]) == (2, "salesforce.totals")
    assert materialization.tags["dagster/data_version"] == metadata["snapshot_id"]


def test_a_second_frame_replaces_the_first(run, iceberg):
    run(asset_of(lambda: FRAME))

    run(asset_of(lambda: FRAME.head(1)))

    assert iceberg.tables().scan("totals").collect().height == 1


def test_an_asset_that_returns_nothing_stores_nothing(run, iceberg):
    @dg.asset
    def nothing():
        return None

    assert run(nothing).success
    assert iceberg.tables().facts("nothing") is None


@pytest.mark.parametrize("value", ["text", 5, {"name": ["Acme"]}])
def test_what_is_no_frame_is_refused_with_what_to_return(run, value):
    result = run(asset_of(lambda: value))

    assert not result.success
    assert type(value).__name__ in failure(result).description
    assert "pl.DataFrame" in failure(result).metadata["remedy"].value


def test_an_input_is_loaded_with_its_annotated_type_and_named_columns(run):
    inputs = {}

    @dg.asset(key=["salesforce", "account"])
    def account() -> pl.DataFrame:
        return FRAME

    @dg.asset(ins={"account": dg.AssetIn(["salesforce", "account"], metadata={"columns": ["amount"]})})
    def eager(account: pl.DataFrame) -> None:
        inputs["eager"] = account

    @dg.asset(ins={"account": dg.AssetIn(["salesforce", "account"])})
    def lazy(account: pl.LazyFrame) -> pl.DataFrame:
        inputs["lazy"] = account
        return account.filter(pl.col("amount") > 1).collect()

    assert run(account, eager, lazy).success
    assert inputs["eager"].equals(FRAME.select("amount"))
    assert isinstance(inputs["lazy"], pl.LazyFrame)


def test_an_input_whose_table_is_not_there_says_what_to_do(run):
    @dg.asset(ins={"account": dg.AssetIn(["salesforce", "account"])})
    def mart(account: pl.LazyFrame) -> pl.LazyFrame:
        return account

    result = run(mart, dg.AssetSpec(["salesforce", "account"]))

    assert not result.success
    assert "there is no table salesforce.account" in failure(result).description
    assert "Materialize" in failure(result).metadata["remedy"].value


def test_an_error_of_the_stream_stays_its_own_and_nothing_is_written(run, iceberg):
    def broken_stream() -> Iterator[pl.DataFrame]:
        yield FRAME
        raise ZeroDivisionError("the mart's own mistake")

    result = run(asset_of(broken_stream))

    (event,) = [event for event in result.all_events if event.is_step_failure]
    assert "the mart's own mistake" in event.step_failure_data.error.to_string()
    assert iceberg.tables().facts("totals") is None or iceberg.tables().facts("totals").rows == 0
