"""What a YAML file may say of a Salesforce org; shapes alone, values are checked by the readers of each setting."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import dagster as dg
from pydantic import ConfigDict, Field

from sf_assets.errors import ConfigError
from sf_assets.specs.naming import column_name

_VARIABLE = re.compile("[A-Za-z_][A-Za-z0-9_]*")
STANDARD_COLUMNS = ("FIELDS(STANDARD)", "FIELDS(CUSTOM)")


class LoginVariables(dg.Model):
    """Where the login's values are: in AWS Secrets Manager, or in environment variables, by name. Never the values."""

    model_config = ConfigDict(extra="allow")  # refused below: an error of pydantic would show the value of `password`

    secret_id: str = Field(default="", description="Name or ARN of a secret in AWS Secrets Manager.")
    consumer_key: str = Field(
        default="SALESFORCE_CONSUMER_KEY", description="Environment variable with the app's consumer key."
    )
    username: str = Field(
        default="SALESFORCE_USERNAME", description="Environment variable with the integration user's name."
    )
    private_key: str = Field(
        default="SALESFORCE_PRIVATE_KEY", description="Environment variable with the private key as PEM."
    )
    private_key_file: str = Field(default="", description="Path of the private key's file, instead of a variable.")
    hash_key: str = Field(default="", description="Environment variable with the key of hashed columns.")

    def refuse_values(self) -> None:
        """Raise ConfigError for an unknown key and for a secret in place of its name."""
        for name in self.model_extra or {}:
            keys = ", ".join(type(self).model_fields)
            raise ConfigError(f"login.{name} is unknown; a login has {keys}", setting=f"login.{name}")
        for name in ("consumer_key", "username", "private_key", "hash_key"):
            text = getattr(self, name)
            if text and not _VARIABLE.fullmatch(text):
                raise _secret_in_file(name, "is not the name of an environment variable")
        for name in ("secret_id", "private_key_file"):
            if "-----" in getattr(self, name):
                raise _secret_in_file(name, "holds a key")


def _secret_in_file(name: str, what: str) -> ConfigError:
    return ConfigError(
        f"login.{name} {what}",
        remedy="Put the value into an environment variable and write the variable's name. If a secret was in the file,"
        " replace it in Salesforce.",
        setting=f"login.{name}",
    )


class Override(dg.Model):
    """Settings of one endpoint."""

    model_config = ConfigDict(extra="forbid")

    excluded: list[str] = Field(default_factory=list, description="API names of columns that are not read.")
    hashed: list[str] = Field(default_factory=list, description="API names of text columns that are hashed.")
    deleted: Literal["mark", "remove"] | None = Field(default=None, description="What becomes of deleted rows.")
    bulk: Literal["auto", "never", "always"] | None = Field(
        default=None, description="Whether Bulk query jobs read the object as a whole."
    )
    cadence: str | None = Field(default=None, description="hourly, six_hours or daily.")
    owner: str | None = Field(default=None, description="team:NAME or an e-mail address.")
    history: bool | None = Field(default=None, description="Keep every version of each row in <endpoint>_changes.")

    def settings(self) -> dict[str, Any]:
        """Return what is set."""
        return self.model_dump(exclude_unset=True, exclude_none=True)


class CustomObject(Override):
    """An object of the org as an endpoint of its own."""

    object: str = Field(description="API name, such as Invoice__c.")
    endpoint: str = Field(default="", description="Name of asset and table; by default the object's, in snake case.")
    columns: list[str] = Field(
        default_factory=lambda: list(STANDARD_COLUMNS),
        description="API names, FIELDS(STANDARD), FIELDS(CUSTOM). Default: all columns.",
    )
    where: str = Field(default="", description="Filter in SOQL, by what does not change.")
    keys: list[str] = Field(default_factory=lambda: ["id"], description="The table's columns that identify a row.")
    how: Literal["tail", "snapshot"] = Field(default="tail", description="Read changes, or the whole object.")
    stamp: str = Field(
        default="SystemModstamp", description="The time by which new rows are found; CreatedDate for append-only rows."
    )
    group: str = Field(default="custom", description="Asset group.")
    description: str = Field(default="", description="What a row is.")

    def row(self) -> dict[str, Any]:
        """Return the endpoint's row, with its query as SOQL text."""
        name = self.endpoint or column_name(self.object).removesuffix("__c")
        own = {key: value for key, value in self.settings().items() if key not in ("object", "columns", "where")}
        return {**own, "endpoint": name, "sobject": self.object, "query": self._soql()}

    def _soql(self) -> str:
        where = f"\nWHERE {self.where}" if self.where else ""
        return f"SELECT\n  {_lines(self.columns)}\nFROM {self.object}{where}"


def _lines(columns: Sequence[str]) -> str:
    return ",\n  ".join(columns)


def specs_values(overrides: Mapping[str, Override], objects: Sequence[CustomObject]) -> dict[str, Any]:
    """Return the values of both settings as the specs read them."""
    return {
        "custom_objects": [each.row() for each in objects],
        "overrides": {name: override.settings() for name, override in overrides.items()},
    }
