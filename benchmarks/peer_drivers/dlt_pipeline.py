"""dlt's REST client and pipeline, to Parquet files or to a local Iceberg table."""

import os
from collections.abc import Iterator
from typing import Any

import dlt
from common import run, soql
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.paginators import JSONLinkPaginator

FORMATS = {"parquet": None, "iceberg": "iceberg"}


def copy(url: str, columns: list[str], folder: str) -> int:
    """Run the pipeline; return how many rows it has normalized."""
    client = RESTClient(url, paginator=JSONLinkPaginator("nextRecordsUrl"), data_selector="records")

    @dlt.resource(name="account", table_format=FORMATS[os.environ["PEER_FORMAT"]], write_disposition="append")
    def account() -> Iterator[Any]:
        for page in client.paginate("/services/data/v60.0/query", params={"q": soql(columns)}):
            yield [{name: value for name, value in record.items() if name != "attributes"} for record in page]

    pipeline = dlt.pipeline(
        "peer", pipelines_dir=f"{folder}/state", destination=dlt.destinations.filesystem(f"file://{folder}/lake"),
        dataset_name="salesforce",
    )  # fmt: skip
    pipeline.run(account(), loader_file_format="parquet").raise_on_failed_jobs()
    return int(pipeline.last_trace.last_normalize_info.row_counts["account"])


if __name__ == "__main__":
    run(copy)
