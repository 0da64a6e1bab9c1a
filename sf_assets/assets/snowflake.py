"""Tables that Snowflake reads: registered one by one, or seen through a linked database; and whether it sees them.

A module of its own: dagster_snowflake takes seconds to import and is imported only where Snowflake is configured.
"""

import time
import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import dagster as dg
from pydantic import Field

from sf_assets.assets.credentials import digest
from sf_assets.assets.registration import Registration
from sf_assets.assets.resources import IcebergResource, once_a_process
from sf_assets.errors import ConfigError, SnowflakeError
from sf_assets.snowflake.ddl import Mode, SnowflakeTarget
from sf_assets.snowflake.registration import register
from sf_assets.snowflake.session import Session
from sf_assets.snowflake.visibility import Committed, Version, Visibility, stale, wait_until_visible
from sf_assets.sync import status_table

with warnings.catch_warnings():  # dagster_snowflake and what it drags in are full of things that they deprecate
    warnings.simplefilter("ignore", DeprecationWarning)
    from dagster_snowflake import SnowflakeResource

if TYPE_CHECKING:
    from sf_assets.iceberg.tables import IcebergTables

CHECK = "visible_in_snowflake"
DESCRIPTION = "Snowflake reads the version of the table that was committed last."
QUIET = {"platform_detection_timeout_seconds": 0}
"""The connector looks for cloud metadata services at each login, to tell Snowflake where it runs. Not here."""
LOGIN_SECONDS = 30


class SnowflakeTables(Registration):
    """Where Snowflake shows the tables, and the account in which it does."""

    account: SnowflakeResource
    iceberg: IcebergResource
    mode: str = Field(default="linked", description="linked: one catalog-linked database; tables: one table each.")
    database: str = Field(description="The linked database, or the database of the tables.")
    schema_: str = Field(alias="schema", description="The schema of the tables; in a linked database the namespace.")
    volume: str = Field(default="sf_lake", description="External volume, for tables.")
    integration: str = Field(default="sf_irc", description="Catalog integration, for tables.")
    patience_seconds: float = Field(default=300.0, gt=0, description="A linked database shows a commit within so long.")

    @property
    def place(self) -> SnowflakeTarget:
        """Where the tables are, in Snowflake's words."""
        mode: Mode = "tables" if self.mode == "tables" else "linked"
        return SnowflakeTarget(
            mode,
            database=self.database,
            schema=self.schema_,
            namespace=self.iceberg.namespace,
            volume=self.volume,
            integration=self.integration,
        )

    def session(self) -> Session:
        """Return the process's one session for these values. Nobody logs in before the first statement."""
        return once_a_process(("snowflake", self._identity()), lambda: Session(self.account.get_connection))

    def check_specs(self, key: dg.AssetKey) -> Sequence[dg.AssetCheckSpec]:
        """Return the check that a registered table answers at once."""
        registers = self.mode == "tables"
        return [dg.AssetCheckSpec(CHECK, asset=key, description=DESCRIPTION, blocking=True)] if registers else []

    def checks(self, keys: Sequence[dg.AssetKey]) -> Sequence[dg.AssetChecksDefinition]:
        """Return a check per table of a linked database, each a step of its own: it waits for Snowflake's poll."""
        return [] if self.mode == "tables" else [_waiting_check(key) for key in keys]

    def publish(self, table: str, warehouse: "IcebergTables") -> Iterator[dg.AssetCheckResult]:
        """Create or refresh a table that is registered by itself. Snowflake's refusal is a red check, no more."""
        if self.mode == "tables":
            yield self._registered(table, warehouse)

    def seen(self, table: str, warehouse: "IcebergTables") -> dg.AssetCheckResult:
        """Wait until a linked database shows the last commit; red with the lag when it does not."""
        committed = committed_versions(warehouse, table)
        try:
            seen = wait_until_visible(
                self.session(),
                self.place,
                table,
                committed=committed,
                patience=timedelta(seconds=self.patience_seconds),
                now=_now,
                sleep=time.sleep,
            )
        except SnowflakeError as error:
            return self._refused(table, error)
        return self._result(table, committed, seen)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Register the table of the run's status too, once it is written, and log out of Snowflake."""
        if self.mode == "tables" and context.run and context.log:
            status_table.commit(context.run.run_id, self.iceberg.warehouse, context.log)
            self._publish_status(context.log)
        self.session().close()

    def _publish_status(self, log: Any) -> None:
        warehouse = self.iceberg.warehouse()
        if warehouse.facts(status_table.TABLE) is None:
            return
        try:
            register(
                self.session(),
                self.place,
                status_table.TABLE,
                committed=committed_versions(warehouse, status_table.TABLE),
            )
        except SnowflakeError as error:
            log.warning(f"{status_table.TABLE} was not registered in Snowflake: {error.told}")

    def _registered(self, table: str, warehouse: "IcebergTables") -> dg.AssetCheckResult:
        committed = committed_versions(warehouse, table)
        try:
            seen = register(self.session(), self.place, table, committed=committed)
        except SnowflakeError as error:
            return self._refused(table, error)
        if not seen.is_current:
            return self._refused(table, stale(self.place, table, seen, now=_now()))
        return self._result(table, committed, seen)

    def _result(self, table: str, committed: Committed, seen: Visibility) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(
            check_name=CHECK,
            passed=seen.is_current,
            description=DESCRIPTION,
            metadata={
                "lag_seconds": seen.lag_seconds(_now()),
                "table": str(self.place.name(table)),
                "metadata_location": committed.versions[-1].location,
                "snowflake_reads": seen.location,
                "refresh_status": seen.status,
            },
        )

    def _refused(self, table: str, error: SnowflakeError) -> dg.AssetCheckResult:
        told = {name: value for name, value in error.values.items() if isinstance(value, str | int | float)}
        return dg.AssetCheckResult(
            check_name=CHECK,
            passed=False,
            severity=dg.AssetCheckSeverity.ERROR,
            description=error.told,
            metadata={
                "error": type(error).__name__,
                "remedy": dg.MetadataValue.md(error.remedy),
                "table": str(self.place.name(table)),
                **told,
            },
        )

    def _identity(self) -> str:
        account = self.account
        named = (account.account, account.user, account.role, account.warehouse)
        secret = (account.private_key, account.private_key_path)
        return digest(*(str(value) for value in (*named, *secret, account.additional_snowflake_connection_args)))


def build_account(login: dict[str, Any], *, host: str) -> SnowflakeResource:
    """Return the account's resource. `host`: only for another way than `<account>.snowflakecomputing.com`.

    Raises ConfigError for a host without TLS that is not this machine.
    """
    return SnowflakeResource(
        **login, login_timeout=LOGIN_SECONDS, additional_snowflake_connection_args=QUIET | _way(host)
    )


def _way(host: str) -> dict[str, Any]:
    if not host:
        return {}
    parts = urlsplit(host if "://" in host else f"https://{host}")
    is_here = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.hostname is None or parts.scheme not in ("https", "http") or (parts.scheme == "http" and not is_here):
        raise ConfigError(f"SNOWFLAKE_HOST is {host!r}; it must be a host name", setting="SNOWFLAKE_HOST")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return {"protocol": parts.scheme, "host": parts.hostname, "port": port}


def committed_versions(warehouse: "IcebergTables", table: str) -> Committed:
    """Return the table's versions in the words of the comparison; a table that is not there has none."""
    found = warehouse.versions(table)
    if found is None:
        return Committed((), None)
    return Committed(tuple(Version(location, at) for location, at in found.locations), found.rows_at)


def _waiting_check(key: dg.AssetKey) -> dg.AssetChecksDefinition:
    """Build the check of one table. Its step is its own, so that no other table's failure hides it."""

    @dg.asset_check(
        name=CHECK,
        asset=key,
        description=DESCRIPTION,
        blocking=True,
        automation_condition=dg.AutomationCondition.eager(),
    )
    def visible_in_snowflake(iceberg: IcebergResource, snowflake: Registration) -> dg.AssetCheckResult:
        assert isinstance(snowflake, SnowflakeTables)
        return snowflake.seen(key.path[-1], iceberg.warehouse())

    return visible_in_snowflake


def _now() -> datetime:
    return datetime.now(UTC)
