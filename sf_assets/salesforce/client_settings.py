"""The settings of a client, grouped by what they decide."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sf_assets.errors import ConfigError
from sf_assets.salesforce.login.credentials import Credentials
from sf_assets.salesforce.login.session import TOKEN_SECONDS
from sf_assets.salesforce.retry import RetryPolicy, Timeouts

API_VERSION = "60.0"


def utc_now() -> datetime:
    """Return the time of this machine's clock."""
    return datetime.now(UTC)


def no_renewal(refused: Credentials) -> Credentials | None:
    """Return None: there are no other credentials than those that were refused."""
    return None


@dataclass(frozen=True)
class OrgAccess:
    """The org's address, and how to log in to it.

    An empty `audience` is derived from the address. `renew_credentials` is called once after a refused login; it
    returns credentials that differ from the refused ones, or None.
    """

    instance_url: str
    credentials: Credentials
    audience: str = ""
    renew_credentials: Callable[[Credentials], Credentials | None] = no_renewal
    api_version: str = API_VERSION
    token_seconds: float = TOKEN_SECONDS


@dataclass(frozen=True)
class RequestLimits:
    """How much is sent, and how long: `quota_reserve` is the share of the daily calls that is left to others."""

    requests_per_second: float = 2.0
    quota_reserve: float = 0.1
    timeouts: Timeouts = field(default_factory=Timeouts)
    retry: RetryPolicy = field(default_factory=RetryPolicy)

    def __post_init__(self) -> None:
        if not self.requests_per_second > 0:
            raise ConfigError(f"SALESFORCE_REQUESTS_PER_SECOND is {self.requests_per_second}; it must be positive")
        if not 0 <= self.quota_reserve < 1:
            raise ConfigError(f"SALESFORCE_QUOTA_RESERVE is {self.quota_reserve}; it is a share, from 0 to under 1")


@dataclass(frozen=True)
class Clock:
    """The clocks of a client: the time of day, seconds that only grow, and how to wait."""

    now: Callable[[], datetime] = utc_now
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
