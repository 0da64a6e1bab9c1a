"""airbyte-source-salesforce by REST: RECORD lines of all rows into a file, as a destination would read them."""

import json
import logging
from pathlib import Path
from typing import Any

from airbyte_cdk.entrypoint import launch
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer
from common import SOBJECT, count_lines, run
from source_salesforce import SourceSalesforce
from source_salesforce.api import Salesforce


def copy(url: str, columns: list[str], folder: str) -> int:
    """Run a full refresh of the stream; return how many records it has written."""
    logging.disable(logging.INFO)
    replace_login(url)
    catalog = {"streams": [{
        "stream": {"name": SOBJECT, "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
        "sync_mode": "full_refresh", "destination_sync_mode": "overwrite",
    }]}  # fmt: skip
    config = {"start_date": "2000-01-01T00:00:00Z", "client_id": "i", "client_secret": "s", "refresh_token": "r"}
    files = {"config": Path(folder) / "config.json", "catalog": Path(folder) / "catalog.json"}
    files["config"].write_text(json.dumps(config))
    files["catalog"].write_text(json.dumps(catalog))
    source = SourceSalesforce(ConfiguredAirbyteCatalogSerializer.load(catalog), config, None)
    launch(source, ["read", "--config", str(files["config"]), "--catalog", str(files["catalog"])])
    return count_lines(folder, b'{"type":"RECORD"')


def replace_login(url: str) -> None:
    """Point the source at a loopback org: a token instead of a login, one object, and its REST way."""
    describe = Salesforce.describe

    def login(self: Salesforce) -> None:
        self.instance_url, self.access_token = url, "token"

    def describe_one(self: Salesforce, sobject: str | None = None, *others: Any) -> Any:
        if sobject is None:
            return {"sobjects": [{"name": SOBJECT, "queryable": True}]}
        return describe(self, sobject, *others)

    Salesforce.login, Salesforce.describe = login, describe_one
    SourceSalesforce._get_api_type = classmethod(lambda cls, *_: "rest")  # noqa: SLF001 — the source has no setting for it


if __name__ == "__main__":
    run(copy)
