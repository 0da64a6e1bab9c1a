"""The two shared resources: a Salesforce org and an Iceberg catalog. Each hands out the process's one plain object.

Dagster makes a resource anew wherever it is nested; the objects below it (one login, one request budget, one catalog
connection) are therefore kept by value in this module and not in the resource.
"""

import hashlib
import logging
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import dagster as dg
from pydantic import Field

from sf_assets.assets import status
from sf_assets.errors import ConfigError, SfAssetsError, WarehouseReadOnly
from sf_assets.salesforce.credentials import Credentials

if TYPE_CHECKING:
    from sf_assets.iceberg.warehouse import Warehouse
    from sf_assets.salesforce.client import Client
    from sf_assets.salesforce.ledger import Ledger
    from sf_assets.specs.model import EndpointSpec
    from sf_assets.survey import Survey

log = logging.getLogger(__name__)
Made = TypeVar("Made")
SPACING = 1.04
"""Requests lie so many times further apart than allowed: an org counts them over any second of its own clock."""
_made: dict[Hashable, Any] = {}
_surveys: "dict[tuple[str, Hashable], Survey | SfAssetsError]" = {}


def once_a_process(key: Hashable, build: Callable[[], Made]) -> Made:
    """Return the object that this process already has under `key`, else build and keep it."""
    if key not in _made:
        _made[key] = build()
    return cast("Made", _made[key])


class CredentialsResource(dg.ConfigurableResource[Any], ABC):
    """Where the consumer key, the private key and the username of the login come from."""

    @abstractmethod
    def fetch(self) -> Credentials:
        """Return the credentials, once a process at the first need; raise ConfigError when they are not there."""

    def hash_key(self) -> str:
        """Return the key of hashed columns; empty: there is none."""
        return ""

    @abstractmethod
    def identity(self) -> str:
        """Return a text that differs when the credentials do and tells nothing secret."""

    def renewed(self, refused: Credentials) -> Credentials | None:
        """Read the credentials once more; return them if they are others than those that a login was refused with.

        When they cannot be read, the refused login is the better news: it is logged and None is returned.
        """
        try:
            read_again = self.fetch()
        except ConfigError as error:
            log.warning("the credentials could not be read again after a refused login: %s", error)
            return None
        return None if read_again == refused else read_again

    def advised(self, error: SfAssetsError) -> SfAssetsError:
        """Return the error with a better remedy, where this way to an org has one."""
        return error


class EnvironmentCredentials(CredentialsResource):
    """Credentials given value by value; give them as `EnvVar`, so that no page of Dagit and no file shows them."""

    consumer_key: str = Field(description="Consumer key of the app in Salesforce (an EnvVar).")
    username: str = Field(description="Username of the integration user in this org.")
    private_key: str = Field(default="", description="PEM of the private key (an EnvVar).")
    private_key_file: str = Field(default="", description="Path of a PEM file, read at the first login, instead of it.")
    columns_key: str = Field(default="", description="Key of hashed columns, if there are any (an EnvVar).")

    def fetch(self) -> Credentials:
        """Return the credentials, the private key as PEM text."""
        return Credentials(consumer_key=self.consumer_key, private_key=self._pem(), username=self.username)

    def hash_key(self) -> str:
        """Return the key that was given."""
        return self.columns_key

    def identity(self) -> str:
        """Return a digest of the login's four values."""
        return digest(self.consumer_key, self.username, self.private_key, self.private_key_file)

    def _pem(self) -> str:
        if self.private_key:
            return self.private_key
        return read_secret_file(Path(self.private_key_file), "SALESFORCE_PRIVATE_KEY_FILE")


class SalesforceResource(dg.ConfigurableResource[Any]):
    """One Salesforce org: login by JWT bearer, and every request to it under one budget."""

    instance_url: str = Field(description="The org's My Domain host; https is implied, http only for 127.0.0.1.")
    credentials: CredentialsResource
    audience: str = Field(default="", description="`aud` of the login; empty: derived from the host.")
    requests_per_second: float = Field(
        default=2.0, gt=0, description="The most that is sent in a second, with retries."
    )
    quota_reserve: float = Field(default=0.1, ge=0, lt=1, description="Share of the daily calls left to others.")
    daily_calls: int = Field(default=0, ge=0, description="The most calls that we send in a day (UTC); 0: no such cap.")
    ledger: str = Field(
        default="", description="SQLAlchemy URL of the request ledger that processes share; empty: this process's own."
    )
    give_up_after_seconds: float = Field(
        default=900.0, gt=0, description="How long one request is tried again while the org is busy or out of reach."
    )
    read_deleted: bool = Field(default=True, description="Read deleted and archived rows too (queryAll).")
    calculated: Literal["stale", "exclude"] = Field(
        default="stale", description="Formulas and roll-ups: keep them as of the row's last change, or leave them out."
    )

    def hash_key(self) -> bytes:
        """Return the key of hashed columns; empty: there is none."""
        return self.credentials.hash_key().encode()

    def resolved(self) -> "SalesforceResource":
        """Return the resource with its EnvVars read, as Dagster hands it to a run: for commands, which have none."""
        with warnings.catch_warnings():  # Dagster itself calls what it has deprecated or has in beta, nested
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", dg.BetaWarning)
            with self.process_config_and_initialize_cm() as resolved:
                return cast("SalesforceResource", resolved)

    def client(self) -> "Client":
        """Return the process's one client for these values. Nothing is sent before its first question."""
        return once_a_process(self._key(), self._build_client)

    def survey(self, run_id: str, specs: "Sequence[EndpointSpec]", warehouse: "Warehouse") -> "Survey":
        """Return what this run asks the org of all its endpoints at once: asked at the first call, kept for the run.

        What the whole run cannot do without (login, host, quota) fails every endpoint with the same error, asked once.
        """
        key = (run_id, self._key())
        if key not in _surveys:
            _surveys[key] = self._survey(specs, warehouse)
        outcome = _surveys[key]
        if isinstance(outcome, SfAssetsError):
            raise outcome.with_traceback(None)
        return outcome

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Forget the run's survey."""
        ended = context.run.run_id if context.run else None
        for key in [key for key in _surveys if key[0] == ended]:
            _surveys.pop(key, None)

    def _survey(self, specs: "Sequence[EndpointSpec]", warehouse: "Warehouse") -> "Survey | SfAssetsError":
        from sf_assets.survey import survey

        try:
            return survey(
                specs,
                warehouse=warehouse,
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
        from sf_assets.salesforce.client import Client
        from sf_assets.salesforce.retry import Patience

        return Client(
            instance_url=self.instance_url,
            credentials=self.credentials.fetch(),
            renewed_credentials=self.credentials.renewed,
            ledger=self.open_ledger(),
            audience=self.audience or None,
            requests_per_second=self.requests_per_second,
            quota_reserve=self.quota_reserve,
            patience=Patience(total_seconds=self.give_up_after_seconds),
        )

    def open_ledger(self) -> "Ledger":
        """Return the books that all processes keep to; the org's host is their key in the database."""
        from sf_assets.salesforce.address import parse_instance_url
        from sf_assets.salesforce.ledger import MemoryLedger

        limits: dict[str, Any] = {
            "requests_per_second": self.requests_per_second,
            "spacing": SPACING,
            "daily_calls": self.daily_calls or None,
        }
        if not self.ledger:
            return MemoryLedger(clock=time.monotonic, **limits)
        from sf_assets.salesforce.sql_ledger import SqlLedger

        return SqlLedger(self.ledger, org=parse_instance_url(self.instance_url).authority, **limits)


class IcebergResource(dg.ConfigurableResource[Any]):
    """One Iceberg catalog, named as pyiceberg names it, and the namespace of the tables in it."""

    catalog: str = Field(default="salesforce", description="Catalog name, configured in pyiceberg's own way.")
    namespace: str = Field(default="salesforce", description="Namespace of the tables.")
    properties: dict[str, str] = Field(
        default={}, description="Catalog properties over those that pyiceberg finds for the name. No secrets here."
    )
    local_folder: str = Field(
        default="", description="Where a SQLite catalog and its files are kept when the name is configured nowhere."
    )

    def warehouse(self) -> "Warehouse":
        """Return the process's one warehouse for these values."""
        key = ("warehouse", self.catalog, self.namespace, tuple(sorted(self.properties.items())), self.local_folder)
        return once_a_process(key, self._build_warehouse)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Write the run's row of each endpoint into `_sync_status`, in one commit."""
        if context.run and context.log:
            status.commit(context.run.run_id, self.warehouse, context.log)

    def _build_warehouse(self) -> "Warehouse":
        from sf_assets.iceberg.warehouse import Warehouse

        return Warehouse(self.catalog, self.namespace, self.catalog_properties())

    def catalog_properties(self) -> dict[str, str]:
        """Return what is set over pyiceberg's own settings for the name; a local catalog where it has none."""
        from pyiceberg.utils.config import Config

        if self.properties or not self.local_folder or Config().get_catalog_config(self.catalog):
            return dict(self.properties)
        return local_catalog(Path(self.local_folder))


def local_catalog(folder: Path) -> dict[str, str]:
    """Return the properties of a SQLite catalog with its files in `folder`, made when missing (WarehouseReadOnly)."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"the folder of the local catalog cannot be made ({error.strerror}): {folder}"
        raise WarehouseReadOnly(what, path=str(folder)) from None
    return {
        "type": "sql",
        "uri": f"sqlite:///{folder.resolve()}/catalog.db?timeout=60",
        "warehouse": f"file://{folder.resolve()}/tables",
    }


def read_secret_file(path: Path, name: str) -> str:
    """Return a secret file's text; raise ConfigError that names the setting and the path, never the text."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{name}: {path} cannot be read ({error.strerror})", setting=name) from None


def digest(*values: str) -> str:
    """Return a short digest that differs when one of the values does and gives none of them away."""
    return hashlib.sha256("\0".join(values).encode()).hexdigest()[:16]
