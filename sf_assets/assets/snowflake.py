"""Snowflake as a reader: registered tables or a linked database, and whether it shows the last commit.

A module of its own: dagster_snowflake takes seconds to import and is imported only where Snowflake is configured.
"""

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import dagster as dg
from pydantic import Field

from sf_assets.assets.credentials import digest
from sf_assets.assets.registration import Registration
from sf_assets.assets.resources import IcebergResource, once_a_process
from sf_assets.errors import ConfigError, IcebergError, SfAssetsError, SnowflakeError
from sf_assets.snowflake.registration import register_table
from sf_assets.snowflake.session import SnowflakeSession
from sf_assets.snowflake.statements import Mode, SnowflakeTarget
from sf_assets.snowflake.visibility import Committed, Version, Visibility, stale_error
from sf_assets.snowflake.wait import Wait
from sf_assets.sync import status_table

with warnings.catch_warnings():  # dagster_snowflake and its dependencies use what they deprecate
    warnings.simplefilter("ignore", DeprecationWarning)
    from dagster_snowflake import SnowflakeResource

if TYPE_CHECKING:  # 1 s of CPU at start-up
    from sf_assets.iceberg.metadata_log import TableVersions
    from sf_assets.iceberg.tables import IcebergTables

CHECK = "visible_in_snowflake"
DESCRIPTION = "Snowflake reads the last commit of the table."
ERASURE_PENDING = (
    "Erased rows are still in the files of older snapshots: these are deleted once Snowflake reads the last commit."
)
CONNECTION = {"platform_detection_timeout_seconds": 0}
"""At each login the connector asks cloud metadata services where it runs. It must not do so here."""
LOGIN_SECONDS = 30


class SnowflakeTables(Registration):
    """The place where Snowflake shows the tables, and its account."""

    account: SnowflakeResource
    iceberg: IcebergResource
    mode: str = Field(default="linked", description="linked: one catalog-linked database; tables: one table each.")
    database: str = Field(description="The linked database, or the database of the tables.")
    schema_: str = Field(alias="schema", description="The schema of the tables; in a linked database the namespace.")
    volume: str = Field(default="sf_lake", description="External volume, for tables.")
    integration: str = Field(default="sf_irc", description="Catalog integration, for tables.")
    patience_seconds: float = Field(
        default=600.0, gt=0, description="Seconds after a commit until a linked database must show it."
    )

    @property
    def target(self) -> SnowflakeTarget:
        """The place of the tables in Snowflake."""
        mode: Mode = "tables" if self.mode == "tables" else "linked"
        return SnowflakeTarget(
            mode,
            database=self.database,
            schema=self.schema_,
            namespace=self.iceberg.namespace,
            volume=self.volume,
            integration=self.integration,
        )

    def session(self) -> SnowflakeSession:
        """Return the one session of this process for these values. The first statement logs in."""
        return once_a_process(("snowflake", self._identity()), lambda: SnowflakeSession(self.account.get_connection))

    def check_specs(self, key: dg.AssetKey) -> Sequence[dg.AssetCheckSpec]:
        """Return the check that a registered table answers at once."""
        registers = self.mode == "tables"
        return [dg.AssetCheckSpec(CHECK, asset=key, description=DESCRIPTION, blocking=True)] if registers else []

    def checks(self, keys: Sequence[dg.AssetKey]) -> Sequence[dg.AssetChecksDefinition]:
        """Return a check for each table of a linked database. Each is a step: it waits for Snowflake's poll."""
        return [] if self.mode == "tables" else [_waiting_check(key) for key in keys]

    def publish(self, table: str, warehouse: "IcebergTables") -> Iterator[dg.AssetCheckResult]:
        """Create or refresh a registered table. An error of Snowflake is a failed check and nothing more."""
        if self.mode == "tables":
            yield self._checked(table, warehouse, lambda committed: self._register(table, committed))

    def check_visible(self, table: str, warehouse: "IcebergTables") -> dg.AssetCheckResult:
        """Wait until a linked database shows the last commit. The check fails with the lag when it does not."""
        return self._checked(table, warehouse, lambda committed: self._wait(table, committed))

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Register the status table once the run has written it, then log out of Snowflake."""
        if self.mode == "tables" and context.run and context.log:
            status_table.commit(context.run.run_id, self.iceberg.source, self.iceberg.tables, context.log)
            self._publish_status(context.log)
        self.session().close()

    def _publish_status(self, log: Any) -> None:
        tables, name = self.iceberg.tables(), status_table.TABLE
        if tables.facts(name) is None:
            return
        try:
            register_table(self.session(), self.target, name, committed=committed_versions(tables, name))
        except SnowflakeError as error:
            log.warning(f"{name} was not registered in Snowflake: {error.with_remedy}")

    def _register(self, table: str, committed: Committed) -> Visibility:
        visibility = register_table(self.session(), self.target, table, committed=committed)
        if not visibility.is_current:
            raise stale_error(self.target, table, visibility, status=None, now=_now())
        return visibility

    def _wait(self, table: str, committed: Committed) -> Visibility:
        patience = timedelta(seconds=self.patience_seconds)
        wait = Wait(self.session(), self.target, table, committed, patience=patience, now=_now, sleep=time.sleep)
        return wait.until_visible()

    def _checked(
        self, table: str, tables: "IcebergTables", read: Callable[[Committed], Visibility]
    ) -> dg.AssetCheckResult:
        """Return the check's result. Once Snowflake reads the last commit, a pending erasure is completed."""
        versions = tables.versions(table)
        committed, is_pending, snapshots = _committed(versions), versions is not None and versions.is_erasure_pending, 0
        try:
            visibility = read(committed)
            if is_pending:
                snapshots = tables.complete_erasure(table, read_location=committed.versions[-1].location)
        except (SnowflakeError, IcebergError) as error:
            return self._failed(table, error, is_erasure_pending=is_pending)
        return self._passed(table, committed, visibility, snapshots)

    def _passed(self, table: str, committed: Committed, visibility: Visibility, snapshots: int) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(
            check_name=CHECK,
            passed=True,
            description=DESCRIPTION,
            metadata={
                "lag_seconds": visibility.lag_seconds(_now()),
                "table": str(self.target.name(table)),
                "metadata_location": committed.versions[-1].location,
                "snowflake_reads": visibility.location,
                "refresh_status": visibility.status,
                **({"erased_snapshots": snapshots} if snapshots else {}),
            },
        )

    def _failed(self, table: str, error: SfAssetsError, *, is_erasure_pending: bool) -> dg.AssetCheckResult:
        values = {name: value for name, value in error.values.items() if isinstance(value, str | int | float)}
        return dg.AssetCheckResult(
            check_name=CHECK,
            passed=False,
            severity=dg.AssetCheckSeverity.ERROR,
            description=f"{error.with_remedy} {ERASURE_PENDING}" if is_erasure_pending else error.with_remedy,
            metadata={
                "error": type(error).__name__,
                "remedy": dg.MetadataValue.md(error.remedy),
                "table": str(self.target.name(table)),
                **values,
            },
        )

    def _identity(self) -> str:
        account = self.account
        names = (account.account, account.user, account.role, account.warehouse)
        secrets = (account.private_key, account.private_key_path)
        return digest(*(str(value) for value in (*names, *secrets, account.additional_snowflake_connection_args)))


def build_account(login: dict[str, Any], *, host: str) -> SnowflakeResource:
    """Return the resource of the account. `host`: a host other than `<account>.snowflakecomputing.com`.

    Raises: ConfigError for a host without TLS that is not this machine.
    """
    return SnowflakeResource(
        **login, login_timeout=LOGIN_SECONDS, additional_snowflake_connection_args=CONNECTION | _host_arguments(host)
    )


def _host_arguments(host: str) -> dict[str, Any]:
    if not host:
        return {}
    parts = urlsplit(host if "://" in host else f"https://{host}")
    is_here = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.hostname is None or parts.scheme not in ("https", "http") or (parts.scheme == "http" and not is_here):
        raise ConfigError(
            "SNOWFLAKE_HOST is not a host name such as acme.snowflakecomputing.com", setting="SNOWFLAKE_HOST"
        )
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return {"protocol": parts.scheme, "host": parts.hostname, "port": port}


def committed_versions(tables: "IcebergTables", table: str) -> Committed:
    """Return the metadata files of a table; a missing table has none."""
    return _committed(tables.versions(table))


def _committed(versions: "TableVersions | None") -> Committed:
    if versions is None:
        return Committed((), None)
    return Committed(tuple(Version(location, at) for location, at in versions.locations), versions.rows_at)


def _waiting_check(key: dg.AssetKey) -> dg.AssetChecksDefinition:
    """Build the check of one table. It is a step, so that no other table's failure hides it."""

    @dg.asset_check(
        name=CHECK,
        asset=key,
        description=DESCRIPTION,
        blocking=True,
        automation_condition=dg.AutomationCondition.eager(),
    )
    def visible_in_snowflake(iceberg: IcebergResource, snowflake: Registration) -> dg.AssetCheckResult:
        assert isinstance(snowflake, SnowflakeTables)
        return snowflake.check_visible(key.path[-1], iceberg.tables())

    return visible_in_snowflake


def _now() -> datetime:
    return datetime.now(UTC)
