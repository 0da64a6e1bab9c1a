"""simple-salesforce's `query_all` and a Polars frame of inferred types, written as one Parquet file."""

from typing import Any

import polars as pl
import requests
from common import run, soql
from simple_salesforce import Salesforce


class PlainSession(requests.Session):
    """A session that reaches a loopback org: the library writes https into each URL."""

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
        """Send the request without TLS."""
        return super().request(method, url.replace("https://", "http://", 1), **options)


def copy(url: str, columns: list[str], folder: str) -> int:
    """Read all rows, write them; return their number."""
    client = Salesforce(instance_url=url, session_id="token", session=PlainSession())
    records = client.query_all(soql(columns))["records"]
    for record in records:
        del record["attributes"]
    frame = pl.DataFrame(records, infer_schema_length=None)
    frame.write_parquet(f"{folder}/rows.parquet")
    return len(frame)


if __name__ == "__main__":
    run(copy)
