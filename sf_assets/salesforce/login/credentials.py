"""Credentials of a login, and the token that it gives; their repr shows no secret."""

from dataclasses import dataclass, field

from sf_assets.errors import ConfigError
from sf_assets.errors.redaction import protect
from sf_assets.salesforce.setting_text import bare

LONGEST_KEY = 100_000
"""Bytes of a key file that are read; an RSA key of 16,384 bits has 13,000."""


@dataclass(frozen=True)
class Credentials:
    """Consumer key, private key and username of a login, without blanks, line ends or quotes around them."""

    consumer_key: str = field(repr=False)
    private_key: str = field(repr=False)
    username: str = field(repr=False)
    key_file: str = field(default="", compare=False)
    """The file that the private key comes from, for messages."""

    def __post_init__(self) -> None:
        for name in ("consumer_key", "private_key", "username"):
            value = bare(getattr(self, name))
            if not value:
                setting = f"SALESFORCE_{name.upper()}"
                raise ConfigError(f"{setting} is empty", setting=setting)
            object.__setattr__(self, name, value)
        self.protect()

    def protect(self) -> None:
        """Remove these values from every message from now on."""
        protect(self.consumer_key, self.private_key, self.username)


@dataclass(frozen=True)
class Token:
    """An access token, its org, and the instance that the login names (requests never go there)."""

    access_token: str = field(repr=False)
    instance_url: str
    org_id: str | None
    issued_at: float
    """Seconds on the client's monotonic clock."""
    audience: str = ""
    """The audience that the org accepted."""
    is_proven: bool = False
    """Whether the org has accepted it once: a 401 then means that it has ended, before that it never worked."""
