"""The dbt-duckdb plugin: every table of the Iceberg namespace, at its current snapshot, in a schema of its name.

dbt-duckdb finds it by `module: sf_assets.downstream.duckdb_plugin` in profiles.yml and wants its class to be `Plugin`.
"""

import os
from typing import TYPE_CHECKING, Any

from dbt.adapters.duckdb.plugins import BasePlugin

from sf_assets.assets.deployments import read_lake
from sf_assets.downstream.tables import show_tables
from sf_assets.iceberg.catalog import IcebergCatalog

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Plugin(BasePlugin):
    """A dbt-duckdb plugin that shows the tables before dbt's first statement.

    It does so once in a process: all threads see the same snapshots.

    `home` in its configuration means SF_ASSETS_HOME; catalog and namespace are the deployment's.
    """

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Find the deployment's catalog; nothing is opened yet."""
        home = plugin_config.get("home")
        iceberg = read_lake({**os.environ, **({"SF_ASSETS_HOME": str(home)} if home else {})})
        self._catalog = IcebergCatalog(
            catalog=iceberg.catalog, namespace=iceberg.namespace, properties=iceberg.catalog_properties()
        )

    def configure_connection(self, conn: "DuckDBPyConnection") -> None:
        """Show every table of the namespace."""
        show_tables(conn, self._catalog)
