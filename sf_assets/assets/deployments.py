"""practice | production -> resources: the one reader of the environment.

Secrets are handed on as `EnvVar`, by name: they are read when a run starts and no page shows them.
"""

import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import dagster as dg

from sf_assets.assets.credentials import CredentialsResource, EnvironmentCredentials
from sf_assets.assets.naming import Naming
from sf_assets.assets.practice_credentials import PracticeCredentials, practice_folder, served_url
from sf_assets.assets.registration import NoRegistration, Registration
from sf_assets.assets.resources import IcebergResource, SalesforceResource, sqlite_url
from sf_assets.assets.settings import (
    home_folder,
    is_loopback,
    is_origin,
    number,
    one_of,
    plain_name,
    protect_secrets,
    required,
    setting_path,
    switch,
    web_address,
    whole_number,
)
from sf_assets.errors import ConfigError
from sf_assets.salesforce.setting_text import bare

PRACTICE_URL = "http://127.0.0.1:8630"
CHECKOUT = Path(__file__).parents[2]
DBT_TARGETS = {"practice": "duckdb", "production": "snowflake"}
"""Deployment -> output in dbt/profiles.yml."""
Environment = Mapping[str, str]
SHARED = frozenset({"SF_ASSETS_HOME", "DAGSTER_HOME", "SF_ASSETS_LEDGER", "SF_ASSETS_DOCS_URL", "SF_ASSETS_UPKEEP"})
"""Variables that hold for all orgs of one code location. Those of Snowflake do so too."""


@dataclass(frozen=True)
class Deployment:
    """What the environment says. `endpoints`, `cadences`, `history` are still text, to be read against the specs."""

    name: str
    naming: Naming
    home: Path
    salesforce: SalesforceResource
    iceberg: IcebergResource
    readers: Registration
    endpoints: str
    cadences: str
    specs: Path | None
    dbt: bool
    dbt_project: Path = CHECKOUT / "dbt"
    dbt_target: str = "duckdb"
    docs: str = ""
    history_days: int = 0
    history: str = ""
    upkeep_job: Path | None = None
    has_org: bool = True
    """False in practice if no practice org runs and no URL is set: automation waits for a person then."""

    @property
    def fills_missing(self) -> bool:
        """Whether automation makes first copies. In production a person starts them."""
        return self.name == "practice"

    @property
    def practice(self) -> Path:
        """The folder of this location's practice org."""
        return practice_folder(self.home, self.naming)


def read_deployment(
    environment: Environment | None = None, *, credentials: CredentialsResource | None = None
) -> Deployment:
    """Read the environment (default: the process's own). Given credentials replace those of the environment.

    Raises: ConfigError that names the variable.
    """
    env = os.environ if environment is None else environment
    protect_secrets(env)
    name, home = one_of(env, "SF_ASSETS_DEPLOYMENT", DEPLOYMENTS), home_folder(env)
    iceberg = _iceberg(env, home / "lake" / name)
    return Deployment(
        name=name,
        naming=_naming(env),
        home=home,
        salesforce=DEPLOYMENTS[name](env, home, credentials),
        iceberg=iceberg,
        readers=_readers(env, iceberg),
        endpoints=env.get("SF_ASSETS_ENDPOINTS", ""),
        cadences=env.get("SF_ASSETS_CADENCES", ""),
        specs=read_specs_folder(env),
        dbt=switch(env, "SF_ASSETS_DBT", default=False),
        dbt_project=setting_path(env.get("SF_ASSETS_DBT_PROJECT") or f"{CHECKOUT / 'dbt'}").absolute(),
        dbt_target=env.get("SF_ASSETS_DBT_TARGET") or DBT_TARGETS[name],
        docs=web_address(env, "SF_ASSETS_DOCS_URL"),
        history_days=whole_number(env, "SF_ASSETS_HISTORY_DAYS"),
        history=env.get("SF_ASSETS_HISTORY", ""),
        upkeep_job=_upkeep_job(env),
        has_org=bool(env.get("SALESFORCE_INSTANCE_URL")) or served_url(practice_folder(home, _naming(env))) is not None,
    )


def shared_settings(environment: Environment | None = None) -> dict[str, str]:
    """Return the settings that hold for all orgs of one code location."""
    env = os.environ if environment is None else environment
    return {name: value for name, value in env.items() if name in SHARED or name.startswith("SNOWFLAKE_")}


def read_lake(environment: Environment | None = None) -> IcebergResource:
    """Read where the tables are. No setting of Salesforce is needed."""
    env = os.environ if environment is None else environment
    return _iceberg(env, home_folder(env) / "lake" / one_of(env, "SF_ASSETS_DEPLOYMENT", DEPLOYMENTS))


def read_specs_folder(environment: Environment | None = None) -> Path | None:
    """Return the folder of the user's own endpoints, or None without one."""
    folder = (os.environ if environment is None else environment).get("SF_ASSETS_SPECS")
    return setting_path(folder) if folder else None


def _naming(env: Environment) -> Naming:
    return Naming(env.get("SF_ASSETS_ORG", ""))


def _practice(env: Environment, home: Path, login: CredentialsResource | None) -> SalesforceResource:
    folder = practice_folder(home, _naming(env))
    url = env.get("SALESFORCE_INSTANCE_URL") or served_url(folder) or PRACTICE_URL
    if not is_loopback(url):
        raise ConfigError(
            "SALESFORCE_INSTANCE_URL names a real org, and the deployment is practice",
            remedy="Set SF_ASSETS_DEPLOYMENT=production, or unset SALESFORCE_INSTANCE_URL for the practice org.",
            setting="SALESFORCE_INSTANCE_URL",
        )
    return _salesforce(env, home, instance_url=url, credentials=login or PracticeCredentials(folder=str(folder)))


def _production(env: Environment, home: Path, login: CredentialsResource | None) -> SalesforceResource:
    _refuse_missing(env, HOST if login or env.get("SALESFORCE_SECRET_ID") else {**HOST, **LOGIN})
    return _salesforce(env, home, instance_url=env["SALESFORCE_INSTANCE_URL"], credentials=login or _credentials(env))


CALCULATED: Mapping[str, Literal["refresh", "stale", "exclude"]] = {
    "refresh": "refresh",
    "stale": "stale",
    "exclude": "exclude",
}
BULK: Mapping[str, Literal["auto", "never", "always"]] = {"auto": "auto", "never": "never", "always": "always"}
HOST: Mapping[str, str] = {"SALESFORCE_INSTANCE_URL": "the org's My Domain host, as acme.my.salesforce.com"}
LOGIN: Mapping[str, str] = {
    "SALESFORCE_CONSUMER_KEY": "the app's consumer key, or SALESFORCE_SECRET_ID instead",
    "SALESFORCE_USERNAME": "the integration user's name",
    "SALESFORCE_PRIVATE_KEY": "the private key's PEM, or SALESFORCE_PRIVATE_KEY_FILE instead",
}
"""Setting -> what it is, for the message when it is missing."""


def _refuse_missing(env: Environment, settings: Mapping[str, str]) -> None:
    """Check that all settings are there. Raises: ConfigError that names every missing one."""
    missing = [
        name
        for name in settings
        if not (env.get(name) or (name == "SALESFORCE_PRIVATE_KEY" and env.get(f"{name}_FILE")))
    ]
    if missing:
        what = "; ".join(f"{name} is not set: {settings[name]}" for name in missing)
        raise ConfigError(what, setting=", ".join(missing))


DEPLOYMENTS: Mapping[str, Callable[[Environment, Path, CredentialsResource | None], SalesforceResource]] = {
    "practice": _practice,
    "production": _production,
}


def _salesforce(
    env: Environment, home: Path, *, instance_url: str, credentials: CredentialsResource
) -> SalesforceResource:
    return SalesforceResource(
        instance_url=instance_url,
        credentials=credentials,
        audience=_audience(env),
        requests_per_second=number(env, "SALESFORCE_REQUESTS_PER_SECOND", 2.0, "a positive number", lambda n: n > 0),
        quota_reserve=number(env, "SALESFORCE_QUOTA_RESERVE", 0.1, "a share from 0 to below 1", lambda n: 0 <= n < 1),
        daily_calls=whole_number(env, "SALESFORCE_DAILY_CALLS"),
        ledger=_ledger(env, home),
        read_deleted=switch(env, "SF_ASSETS_READ_DELETED", default=True),
        calculated=CALCULATED[one_of(env, "SF_ASSETS_CALCULATED", CALCULATED)],
        bulk=BULK[one_of(env, "SF_ASSETS_BULK", BULK)],
    )


def _ledger(env: Environment, home: Path) -> str:
    """Return the ledger's URL. One with a password is passed by its variable's name, like every secret."""
    url = env.get("SF_ASSETS_LEDGER") or sqlite_url(home / "ledger.db")
    user = url.partition("://")[2].rpartition("@")[0]
    return dg.EnvVar("SF_ASSETS_LEDGER") if ":" in user or "password" in url else url


def _credentials(env: Environment) -> CredentialsResource:
    if secret_id := env.get("SALESFORCE_SECRET_ID"):
        return secrets_manager(secret_id)
    key_file = env.get("SALESFORCE_PRIVATE_KEY_FILE", "")
    values: dict[str, Any] = {"private_key_file": key_file} if key_file else {}
    values |= {} if key_file else {"private_key": dg.EnvVar("SALESFORCE_PRIVATE_KEY")}
    values |= {"columns_key": dg.EnvVar("SALESFORCE_HASH_KEY")} if env.get("SALESFORCE_HASH_KEY") else {}
    return EnvironmentCredentials(
        consumer_key=dg.EnvVar("SALESFORCE_CONSUMER_KEY"), username=dg.EnvVar("SALESFORCE_USERNAME"), **values
    )


def secrets_manager(secret_id: str) -> CredentialsResource:
    """Return credentials that are read from a secret in AWS Secrets Manager."""
    from dagster_aws.secretsmanager import SecretsManagerResource

    from sf_assets.assets.aws_credentials import SecretsManagerCredentials

    with warnings.catch_warnings():  # beta in Dagster, like most of dagster_aws for years
        warnings.simplefilter("ignore", dg.BetaWarning)
        return SecretsManagerCredentials(secrets=SecretsManagerResource(), secret_id=secret_id)


def _iceberg(env: Environment, local_folder: Path) -> IcebergResource:
    return IcebergResource(
        catalog=env.get("SF_ASSETS_CATALOG") or "salesforce",
        namespace=plain_name(env, "SF_ASSETS_NAMESPACE") or _naming(env).source,
        local_folder=str(local_folder),
        source=_naming(env).source,
        past_waits=bool(env.get("SNOWFLAKE_ACCOUNT")),
        upkeep=one_of(env, "SF_ASSETS_UPKEEP", {"own": None, "external": None}),
    )


def _upkeep_job(env: Environment) -> Path | None:
    """Return the file of another engine's upkeep job, or None without one. Raises: ConfigError."""
    path = env.get("SF_ASSETS_UPKEEP_JOB")
    if path and env.get("SF_ASSETS_UPKEEP") != "external":
        raise ConfigError(
            "SF_ASSETS_UPKEEP_JOB is set, and SF_ASSETS_UPKEEP is not external",
            remedy="Set SF_ASSETS_UPKEEP=external, or remove SF_ASSETS_UPKEEP_JOB.",
            setting="SF_ASSETS_UPKEEP_JOB",
        )
    return setting_path(path).absolute() if path else None


def _readers(env: Environment, iceberg: IcebergResource) -> Registration:
    """Return what is done for Snowflake after a commit: nothing where no account is named."""
    mode = one_of(env, "SF_ASSETS_SNOWFLAKE", {"linked": None, "tables": None})
    if not env.get("SNOWFLAKE_ACCOUNT"):
        return NoRegistration()
    from sf_assets.assets.snowflake import SnowflakeTables, build_account

    return SnowflakeTables(
        account=build_account(_snowflake_login(env, mode), host=env.get("SNOWFLAKE_HOST", "")),
        iceberg=iceberg,
        mode=mode,
        database=required(env, "SNOWFLAKE_DATABASE", "the linked database, or the database of the tables"),
        schema=env.get("SNOWFLAKE_SCHEMA") or iceberg.namespace,
        volume=env.get("SNOWFLAKE_EXTERNAL_VOLUME") or "sf_lake",
        integration=env.get("SNOWFLAKE_CATALOG_INTEGRATION") or "sf_irc",
        patience_seconds=number(env, "SNOWFLAKE_PATIENCE_SECONDS", 600.0, "a positive number", lambda n: n > 0),
    )


def _snowflake_login(env: Environment, mode: str) -> dict[str, Any]:
    """Return the loader's login; a REFRESH runs in a warehouse, a linked database needs none."""
    required(env, "SNOWFLAKE_USER", "the loader's user in Snowflake, of TYPE = SERVICE")
    if mode == "tables":
        required(env, "SNOWFLAKE_WAREHOUSE", "the warehouse that creates and refreshes the tables")
    key_file = env.get("SNOWFLAKE_PRIVATE_KEY_FILE") and str(setting_path(env["SNOWFLAKE_PRIVATE_KEY_FILE"]))
    if not key_file:
        required(env, "SNOWFLAKE_PRIVATE_KEY", "the loader's private key as PEM, or SNOWFLAKE_PRIVATE_KEY_FILE")
    key = (
        {"private_key_path": f"{setting_path(key_file)}"}
        if key_file
        else {"private_key": dg.EnvVar("SNOWFLAKE_PRIVATE_KEY")}
    )
    named = {name: env.get(f"SNOWFLAKE_{name.upper()}") for name in ("account", "role", "warehouse")}
    return {"user": dg.EnvVar("SNOWFLAKE_USER"), **key, **{name: value for name, value in named.items() if value}}


def _audience(env: Environment) -> str:
    """Return the login's audience, an https origin; http is for this machine alone."""
    text = bare(env.get("SALESFORCE_LOGIN_AUDIENCE", "")).rstrip("/")
    if text and not is_origin(text):
        what = "SALESFORCE_LOGIN_AUDIENCE is not an https origin such as https://login.salesforce.com"
        raise ConfigError(what, setting="SALESFORCE_LOGIN_AUDIENCE")
    return text
