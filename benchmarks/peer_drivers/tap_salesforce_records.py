"""tap-salesforce by REST: RECORD lines of all rows into a file, as a target would read them."""

import logging

from common import SOBJECT, count_lines, run
from singer import metadata
from tap_salesforce import get_replication_key
from tap_salesforce.salesforce import Salesforce, field_to_property_schema
from tap_salesforce.sync import sync_stream


def copy(url: str, columns: list[str], folder: str) -> int:
    """Sync the stream; return how many records it has written."""
    logging.disable(logging.INFO)
    client = Salesforce(api_type="REST", default_start_date="2000-01-01T00:00:00Z")
    client.instance_url, client.access_token = url, "token"
    fields = [field for field in client.describe(SOBJECT)["fields"] if field["name"] in columns]
    sync_stream(client, catalog_entry(fields), {})
    return count_lines(folder, b'{"type": "RECORD"')


def catalog_entry(fields: list[dict[str, str]]) -> dict[str, object]:
    """Return the catalog entry of all fields, as the tap's own discovery writes it."""
    properties, entries = {}, metadata.new()
    for field in fields:
        properties[field["name"]], entries = field_to_property_schema(field, entries)
        entries = metadata.write(entries, ("properties", field["name"]), "inclusion", "automatic")
    entries = metadata.write(entries, (), "replication-key", get_replication_key(SOBJECT, fields))
    return {
        "stream": SOBJECT, "tap_stream_id": SOBJECT, "metadata": metadata.to_list(entries),
        "schema": {"type": "object", "additionalProperties": False, "properties": properties},
    }  # fmt: skip


if __name__ == "__main__":
    run(copy)
