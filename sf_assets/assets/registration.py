"""What is done for a table's readers after its commit. Without Snowflake: nothing."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

if TYPE_CHECKING:
    from sf_assets.iceberg.tables import IcebergTables


class Registration(dg.ConfigurableResource[Any], ABC):
    """How the tables become visible to those who read them elsewhere."""

    @abstractmethod
    def check_specs(self, key: dg.AssetKey) -> Sequence[dg.AssetCheckSpec]:
        """Return the checks that `publish` answers in the body of an endpoint's asset."""

    @abstractmethod
    def checks(self, keys: Sequence[dg.AssetKey]) -> Sequence[dg.AssetChecksDefinition]:
        """Return the checks that are steps of their own."""

    @abstractmethod
    def publish(self, table: str, warehouse: "IcebergTables") -> Iterator[dg.AssetCheckResult]:
        """Make the newest version of a table visible; the rows are committed already, so nothing here fails a sync."""


class NoRegistration(Registration):
    """Readers find the tables in the catalog by themselves."""

    why: str = Field(default="SNOWFLAKE_ACCOUNT is not set.", description="Why no table is registered anywhere.")

    def check_specs(self, key: dg.AssetKey) -> Sequence[dg.AssetCheckSpec]:
        """Return none."""
        return ()

    def checks(self, keys: Sequence[dg.AssetKey]) -> Sequence[dg.AssetChecksDefinition]:
        """Return none."""
        return ()

    def publish(self, table: str, warehouse: "IcebergTables") -> Iterator[dg.AssetCheckResult]:
        """Do nothing."""
        return iter(())
