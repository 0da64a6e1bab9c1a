"""Who logs in, and the session that a login gives; what is secret in them is never shown."""

from dataclasses import dataclass, field

from sf_assets.errors import ConfigError


@dataclass(frozen=True)
class Credentials:
    """Who logs in; its repr shows nothing."""

    consumer_key: str = field(repr=False)
    private_key: str = field(repr=False)
    username: str = field(repr=False)

    def __post_init__(self) -> None:
        for name in ("consumer_key", "private_key", "username"):
            if not getattr(self, name).strip():
                setting = f"SALESFORCE_{name.upper()}"
                raise ConfigError(f"{setting} is empty", setting=setting)


@dataclass(frozen=True)
class Token:
    """A session's token, which org it belongs to, and the instance that the answer names (never followed)."""

    access_token: str = field(repr=False)
    instance_url: str
    org_id: str | None
    issued_at: float
    """Seconds on the client's monotonic clock."""
    is_proven: bool = False
    """Whether the org has accepted it once: a 401 then means that it has ended, before that it never was any good."""
