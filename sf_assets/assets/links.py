"""What an endpoint's asset shows besides its rows: links into Salesforce, and where each column comes from."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from sf_assets.assets.settings import is_loopback

if TYPE_CHECKING:  # Polars and pyiceberg take 0.4 s of CPU to import, and every Dagster process loads this module
    from sf_assets.sync.columns import Column

STORAGE: Mapping[str, Any] = {"dagster/storage_kind": "iceberg"}


def object_links(instance_url: str, sobject: str) -> dict[str, dg.MetadataValue[Any]]:
    """Return links to the object in Setup and to its list view, except in practice."""
    if is_loopback(instance_url):
        return {}
    host = instance_url.strip().removeprefix("https://").split("/", 1)[0]
    return {
        "salesforce_setup": dg.MetadataValue.url(
            f"https://{host}/lightning/setup/ObjectManager/{sobject}/Details/view"
        ),
        "salesforce_list_view": dg.MetadataValue.url(f"https://{host}/lightning/o/{sobject}/list"),
    }


def column_lineage(columns: "Sequence[Column]", *, source: str, sobject: str) -> dg.TableColumnLineage:
    """Return the field of the org that each column comes from. `source`: the first part of the table's key."""
    org = dg.AssetKey(f"{source}_org")
    return dg.TableColumnLineage(
        {column.name: [dg.TableColumnDep(org, f"{sobject}.{column.api_name}")] for column in columns}
    )


def same_columns(table: dg.AssetKey, columns: Sequence[str], *, own: Sequence[str]) -> dg.TableColumnLineage:
    """Return the lineage of columns that are copied from another table, without `own` columns."""
    return dg.TableColumnLineage({name: [dg.TableColumnDep(table, name)] for name in columns if name not in own})
