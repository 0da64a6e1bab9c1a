"""What happens after a commit for those who read the tables elsewhere. Without Snowflake: nothing."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

if TYPE_CHECKING:  # 1 s of CPU at start-up
    from sf_assets.iceberg.tables import IcebergTables


class Registration(dg.ConfigurableResource[Any], ABC):
    """The way in which the tables become visible to readers of another system."""

    @abstractmethod
    def check_specs(self, key: dg.AssetKey) -> Sequence[dg.AssetCheckSpec]:
        """Return the checks that `publish` reports in the body of an endpoint's asset."""

    @abstractmethod
    def checks(self, keys: Sequence[dg.AssetKey]) -> Sequence[dg.AssetChecksDefinition]:
        """Return the checks that run as steps of their own."""

    @abstractmethod
    def publish(self, table: str, warehouse: "IcebergTables") -> Iterator[dg.AssetCheckResult]:
        """Make the last commit of a table visible. The rows are committed, so nothing here fails a sync."""


class NoRegistration(Registration):
    """Readers find the tables in the catalog by themselves."""

    why: str = Field(default="SNOWFLAKE_ACCOUNT is not set.", description="Why no table is registered anywhere.")

    def check_specs(self, key: dg.AssetKey) -> Sequence[dg.AssetCheckSpec]:
        """Return an empty sequence."""
        return ()

    def checks(self, keys: Sequence[dg.AssetKey]) -> Sequence[dg.AssetChecksDefinition]:
        """Return an empty sequence."""
        return ()

    def publish(self, table: str, warehouse: "IcebergTables") -> Iterator[dg.AssetCheckResult]:
        """Return without a result."""
        return iter(())
