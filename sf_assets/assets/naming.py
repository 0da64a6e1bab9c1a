"""Names of one org's code location: asset keys, pools, resources.

Dagster identifies an asset and a pool by name alone. If two locations of an instance share an asset key, Dagster shows
their two tables as one; if they share a pool, their runs wait for each other. So each further org of an instance has a
name of its own, `SF_ASSETS_ORG`.
"""

import re
from dataclasses import dataclass, fields

import dagster as dg

from sf_assets.assets.settings import quoted
from sf_assets.errors import ConfigError

SETTING = "SF_ASSETS_ORG"
_FORM = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
_LONGEST = 40


@dataclass(frozen=True)
class Naming:
    """The names of one org's code location. `org` is empty if the instance has no other org.

    Glue, Snowflake, dbt and Dagster all accept lower-case letters, digits and single underscores.
    Raises: ConfigError for another name.
    """

    org: str = ""

    def __post_init__(self) -> None:
        if self.org and not (_FORM.fullmatch(self.org) and len(self.org) <= _LONGEST):
            raise ConfigError(
                f"{SETTING} is {quoted(self.org)}; it must be a short name such as emea",
                remedy=f"Use lower-case letters and digits, with single underscores between them, {_LONGEST} at most.",
                setting=SETTING,
            )

    def of_org(self, word: str) -> str:
        """Return a word with the org's name: `marts` is `marts_emea` in the location of `emea`."""
        return f"{word}_{self.org}" if self.org else word

    @property
    def source(self) -> str:
        """First part of the tables' keys, default namespace, and name of the dbt source."""
        return self.of_org("salesforce")

    @property
    def org_key(self) -> dg.AssetKey:
        """The key of the org itself, which all endpoints are read from."""
        return dg.AssetKey(f"{self.source}_org")

    def key(self, endpoint: str) -> dg.AssetKey:
        """Return the asset key of an endpoint's table."""
        return dg.AssetKey([self.source, endpoint])

    def pool(self, endpoint: str) -> str:
        """Return the pool of an endpoint's table. The dot is in no endpoint's name, so no two orgs share a pool."""
        return f"{self.of_org('table')}{'.' if self.org else '_'}{endpoint}"


@dataclass(frozen=True)
class ResourceKeys:
    """The names of an org's resources. Orgs of one code location have names of their own."""

    salesforce: str = "salesforce"
    iceberg: str = "iceberg"
    snowflake: str = "snowflake"
    io_manager: str = "io_manager"

    @classmethod
    def of(cls, naming: Naming) -> "ResourceKeys":
        """Return the names that carry the org's name."""
        return cls(**{key.name: naming.of_org(key.name) for key in fields(cls)})
