"""Steps on a real AWS account: identity, Lake Formation, and a probe table that is created and removed."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from sf_assets.commands.prove.steps import Exchange, ProofContext, step

PROBE = "sf_assets_probe"


@step("aws", "identity of the writer")
def identity(context: ProofContext) -> Iterator[Exchange]:
    """Ask STS who we are."""
    source = "docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"
    yield _exchange("who the writer is", "sts", "get_caller_identity", source, keys=("Arn",))


@step("aws", "Lake Formation")
def lake_formation(context: ProofContext) -> Iterator[Exchange]:
    """Ask whether Lake Formation decides on new tables.

    The writer role may be refused: that is an answer too.
    """
    source = "docs.aws.amazon.com/lake-formation/latest/dg/change-settings.html"
    keys = ("DataLakeSettings",)
    yield _exchange("settings of Lake Formation", "lakeformation", "get_data_lake_settings", source, keys=keys)


@step(
    "aws",
    "a table of the catalog",
    changes=f"creates the table {PROBE} with one row in the namespace, and removes it with its files",
)
def probe_table(context: ProofContext) -> Iterator[Exchange]:
    """Write, read and remove a table with a long column description."""
    import polars as pl
    from pyiceberg.types import StringType, TimestamptzType

    from sf_assets.iceberg.model import Chunk, TableColumn

    tables = context.deployment.iceberg.tables()
    columns = (
        TableColumn("id", StringType(), "Explains the field. " * 15),
        TableColumn("_synced_at", TimestamptzType()),
    )
    frame = pl.DataFrame({"id": ["1"]}).with_columns(_synced_at=pl.lit(datetime(2026, 1, 1, tzinfo=UTC)))
    source = "docs/production.md, AWS: rights of the writer"
    try:
        tables.merge(PROBE, columns=columns, keys=("id",), stamp=None, chunks=[Chunk(frame, "probe")], base=None)
        facts = tables.facts(PROBE)
        rows = facts.rows if facts else 0
        yield Exchange("write and read a table", f"merge {PROBE}", f"{rows} row", source, "as documented")
    finally:
        yield _remove(context, source)


def _remove(context: ProofContext, source: str) -> Exchange:
    """Remove the probe table.

    The writer role may not drop a table: then the report says what remains.
    """
    from pyiceberg.catalog import load_catalog

    iceberg = context.deployment.iceberg
    try:
        catalog = load_catalog(iceberg.catalog, **iceberg.catalog_properties())
        catalog.purge_table((iceberg.namespace, PROBE))
    except Exception as error:  # noqa: BLE001 - each error of catalog or storage means that something remains
        remains = f"aws glue delete-table --database-name <namespace> --name {PROBE}, then remove its folder"
        answer = {**_refusal(error), "what remains": remains}
        return Exchange("remove the table", "glue:delete_table", answer, source, "refused")
    return Exchange("remove the table", f"purge {PROBE}", "removed with its files", source, "as documented")


def _exchange(name: str, service: str, action: str, source: str, *, keys: tuple[str, ...]) -> Exchange:
    try:
        answer = _client(service)(action)()
    except Exception as error:  # noqa: BLE001 - botocore's errors have no common base, and each is an answer
        return Exchange(name, f"{service}:{action}", _refusal(error), source, "refused")
    return Exchange(name, f"{service}:{action}", {key: answer.get(key) for key in keys}, source)


def _refusal(error: Exception) -> dict[str, Any]:
    """Return AWS's status, code and message, or the error's name and text."""
    response = getattr(error, "response", None) or {"Error": {"Code": type(error).__name__, "Message": str(error)}}
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return {"status": status, "code": response["Error"].get("Code"), "message": response["Error"].get("Message")}


def _client(service: str) -> Callable[[str], Callable[[], dict[str, Any]]]:
    import boto3

    client = boto3.client(service)
    return lambda action: getattr(client, action)
