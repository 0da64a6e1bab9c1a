"""The two shared resources: a Salesforce org and an Iceberg catalog. Each returns the process's one plain object.

Dagster makes a new resource wherever it is nested. So this module keeps what a resource gives access to
(one login, one request budget, one catalog connection) by the resource's values.
"""

import re
import time
import warnings
from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import dagster as dg
from pydantic import Field

from sf_assets.assets.credentials import CredentialsResource
from sf_assets.errors import ConfigError, IcebergReadOnly, SfAssetsError
from sf_assets.errors.redaction import protect
from sf_assets.sync import status_table

if TYPE_CHECKING:  # httpx, Polars and pyiceberg take 0.5 s of CPU to import, and every Dagster process loads this
    from sf_assets.iceberg.tables import IcebergTables
    from sf_assets.salesforce.client import Client
    from sf_assets.salesforce.rate_limit.ledger import Ledger
    from sf_assets.specs.model import EndpointSpec
    from sf_assets.sync.preflight import Preflight
    from sf_assets.sync.report import DeploymentOptions

Value = TypeVar("Value")
SPACING = 1.04
"""Factor on the time between requests: an org counts them over any second of its own clock."""
_values: dict[Hashable, Any] = {}
_preflights: "dict[tuple[str, Hashable], Preflight | SfAssetsError]" = {}


def once_a_process(key: Hashable, build: Callable[[], Value]) -> Value:
    """Return this process's object under `key`; build it at the first call."""
    if key not in _values:
        _values[key] = build()
    return cast("Value", _values[key])


class SalesforceResource(dg.ConfigurableResource[Any]):
    """One Salesforce org, with login by JWT bearer and one request budget."""

    instance_url: str = Field(description="The org's My Domain host; https is implied, http only for 127.0.0.1.")
    credentials: CredentialsResource
    audience: str = Field(default="", description="`aud` of the login, an https origin. Empty: derived from the host.")
    requests_per_second: float = Field(
        default=2.0, gt=0, description="The most that is sent in a second, with retries."
    )
    quota_reserve: float = Field(default=0.1, ge=0, lt=1, description="Share of the daily calls left to others.")
    daily_calls: int = Field(
        default=0, ge=0, description="The most calls that we send in a day (UTC). 0: no limit of ours."
    )
    ledger: str = Field(
        default="",
        description="SQLAlchemy URL of the request ledger that processes share. Empty: a ledger of this process alone.",
    )
    give_up_after_seconds: float = Field(
        default=900.0, gt=0, description="How long one request is repeated while the org is busy or does not answer."
    )
    read_deleted: bool = Field(default=True, description="Read deleted and archived rows too (queryAll).")
    calculated: Literal["refresh", "stale", "exclude"] = Field(
        default="refresh",
        description="Formulas and roll-ups, which change without a stamp: read them again daily where that costs at"
        " most 50 calls, keep them as of the row's last change, or leave them out.",
    )

    bulk: Literal["auto", "never", "always"] = Field(
        default="auto",
        description="Bulk query jobs read whole objects: of 250,000 rows or more (auto), never, or always.",
    )

    def hash_key(self) -> bytes:
        """Return the key of hashed columns, or an empty key if there is none."""
        key = self.credentials.hash_key()
        protect(key)
        return key.encode()

    def deployment_options(self, *, hashes: bool = False) -> "DeploymentOptions":
        """Return how this deployment reads its org. `hashes`: an endpoint has hashed columns and needs the key."""
        from sf_assets.sync.report import DeploymentOptions  # only a run needs it: it loads pyiceberg

        return DeploymentOptions(
            read_deleted=self.read_deleted,
            calculated=self.calculated,
            bulk=self.bulk,
            hash_key=self.hash_key() if hashes else b"",
            quota_reserve=self.quota_reserve,
        )

    def resolved(self) -> "SalesforceResource":
        """Return the resource with its EnvVars read, as a run gets it. Commands use it."""
        with warnings.catch_warnings():  # Dagster itself uses deprecated and beta parts for nested resources
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", dg.BetaWarning)
            with self.process_config_and_initialize_cm() as resolved:
                return cast("SalesforceResource", resolved)

    def client(self) -> "Client":
        """Return the process's one client for these values. It sends nothing before its first request."""
        return once_a_process(self._key(), self._build_client)

    def preflight(self, run_id: str, specs: "Sequence[EndpointSpec]", tables: "IcebergTables") -> "Preflight":
        """Return the org's answers about all endpoints of a run, asked once a run.

        Trouble of the whole run (login, host, quota) raises the same error object for each endpoint.
        """
        key = (run_id, self._key())
        if key not in _preflights:
            _preflights[key] = self._ask(specs, tables)
        outcome = _preflights[key]
        if isinstance(outcome, SfAssetsError):
            raise outcome.with_traceback(None)
        return outcome

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Delete the run's preflight."""
        run_id = context.run.run_id if context.run else None
        for key in [key for key in _preflights if key[0] == run_id]:
            _preflights.pop(key, None)

    def _ask(self, specs: "Sequence[EndpointSpec]", tables: "IcebergTables") -> "Preflight | SfAssetsError":
        from sf_assets.sync.preflight import preflight  # only a run needs it: it loads Polars and httpx

        try:
            return preflight(
                specs,
                tables=tables,
                client=self.client(),
                read_deleted=self.read_deleted,
                now=lambda: datetime.now(UTC),
            )
        except SfAssetsError as error:
            return self.credentials.advised(error)

    def _key(self) -> Hashable:
        limits = (self.requests_per_second, self.quota_reserve, self.daily_calls, self.give_up_after_seconds)
        return ("client", self.instance_url, self.audience, limits, self.ledger, self.credentials.identity())

    def _build_client(self) -> "Client":
        from sf_assets.salesforce.client import Client  # only a run needs it: it loads httpx
        from sf_assets.salesforce.client_settings import OrgAccess, RequestLimits
        from sf_assets.salesforce.retry import RetryPolicy

        access = OrgAccess(
            instance_url=self.instance_url,
            credentials=self.credentials.fetch(),
            audience=self.audience,
            renew_credentials=self.credentials.renewed,
        )
        limits = RequestLimits(
            requests_per_second=self.requests_per_second,
            quota_reserve=self.quota_reserve,
            retry=RetryPolicy(total_seconds=self.give_up_after_seconds),
        )
        return Client(access, limits=limits, ledger=self.open_ledger())

    def open_ledger(self) -> "Ledger":
        """Return the request ledger. Processes that share it have one pace and one quota for the org's host."""
        from sf_assets.salesforce.instance_url import parse_instance_url
        from sf_assets.salesforce.rate_limit.ledger import MemoryLedger

        limits: dict[str, Any] = {
            "requests_per_second": self.requests_per_second,
            "spacing": SPACING,
            "daily_calls": self.daily_calls or None,
        }
        if not self.ledger:
            return MemoryLedger(clock=time.monotonic, **limits)
        from sf_assets.salesforce.rate_limit.sql_ledger import SqlLedger

        return SqlLedger(self.ledger, org=parse_instance_url(self.instance_url).authority, **limits)


class IcebergResource(dg.ConfigurableResource[Any]):
    """One Iceberg catalog, by its name in pyiceberg's configuration, and the namespace of the tables."""

    catalog: str = Field(default="salesforce", description="Name of the catalog in pyiceberg's configuration.")
    namespace: str = Field(default="salesforce", description="Namespace of the tables.")
    properties: dict[str, str] = Field(
        default={}, description="Catalog properties; they override those of pyiceberg's configuration. No secrets here."
    )
    local_folder: str = Field(
        default="",
        description="Folder of a SQLite catalog and its files, used if pyiceberg has no configuration for the name.",
    )
    source: str = Field(default="salesforce", description="First part of the asset keys of this org's tables.")
    past_waits: bool = Field(
        default=False, description="Another system reads the tables: erasures wait for it before they delete files."
    )
    upkeep: str = Field(default="own", description="Who compacts the tables and expires snapshots: own or external.")

    def tables(self) -> "IcebergTables":
        """Return the process's one `IcebergTables` for these values."""
        key: tuple[Hashable, ...] = ("tables", self.catalog, self.namespace, *sorted(self.properties.items()))
        key += (self.local_folder, self.past_waits, self.upkeep)
        return once_a_process(key, self._build_tables)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Write the run's row of each endpoint into `_sync_status`, in one commit."""
        if context.run and context.log:
            status_table.commit(context.run.run_id, self.source, self.tables, context.log)

    def _build_tables(self) -> "IcebergTables":
        properties = self.catalog_properties()  # before pyiceberg is imported, which reads its configuration too
        from sf_assets.iceberg.tables import IcebergTables

        return IcebergTables(self.catalog, self.namespace, properties, past_waits=self.past_waits, upkeep=self.upkeep)

    def catalog_properties(self) -> dict[str, str]:
        """Return the properties that override pyiceberg's configuration, or a local catalog if there is none."""
        from sf_assets.iceberg.configuration import catalog_config

        if catalog_config(self.catalog) or self.properties or not self.local_folder:
            return dict(self.properties)
        return local_catalog(Path(self.local_folder))


URL_MARKS = re.compile("[#?%]")
"""Characters that a URL gives a meaning. A folder with one of them is named by its path, not by a file:// URL."""


def local_catalog(folder: Path) -> dict[str, str]:
    """Return the properties of a SQLite catalog in `folder`, which is made if needed."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds the org's rows
    except OSError as error:
        what = f"the folder of the local catalog cannot be made ({error.strerror}): {folder}"
        raise IcebergReadOnly(what, path=str(folder)) from None
    path = folder.resolve()
    return {
        "type": "sql",
        "uri": f"{sqlite_url(path / 'catalog.db')}?timeout=60",
        "warehouse": f"{path}/tables" if URL_MARKS.search(str(path)) else f"file://{path}/tables",
    }


def sqlite_url(path: Path, *, sqlalchemy: str | None = None) -> str:
    """Return the SQLAlchemy URL of a SQLite file, quoted where needed. `sqlalchemy` is its version.

    Raises:
        ConfigError: SQLAlchemy 2.0 takes a path as it is, so a question mark would end it.
    """
    text = str(path)
    if not URL_MARKS.search(text):
        return f"sqlite:///{text}"
    if not (sqlalchemy or version("SQLAlchemy")).startswith("2.0."):
        return "sqlite:///" + URL_MARKS.sub(lambda mark: f"%{ord(mark[0]):02X}", text)
    if "?" in text:
        raise ConfigError(
            f"SQLAlchemy 2.0 cannot open a SQLite file with a question mark in its path: {text}",
            remedy="Rename the folder, set SF_ASSETS_HOME to another one, or install SQLAlchemy 2.1.",
            setting="SF_ASSETS_HOME",
        )
    return f"sqlite:///{text}"
