"""Values of settings: what a message may quote, and what an origin is."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from sf_assets.errors import ConfigError
from sf_assets.errors.redaction import protect, redact
from sf_assets.salesforce.setting_text import bare

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
SHOWN_LENGTH = 40
"""No message quotes a longer value: it may be a key or a password in the wrong variable."""


def quoted(value: str) -> str:
    """Quote a value for a message; only its length if it may be a secret."""
    is_plain = len(value) <= SHOWN_LENGTH and value.isprintable() and not {"@"} & set(value) and "://" not in value
    return repr(value) if is_plain else f"a text of {len(value)} characters that is not shown"


def is_loopback(url: str) -> bool:
    """Return whether a host or URL is this machine."""
    try:
        return urlsplit(url if "://" in url else f"//{url}").hostname in LOOPBACK
    except ValueError:  # an IPv6 address without its closing bracket
        return False


def is_origin(text: str) -> bool:
    """Return whether a text is an https origin, or an http origin of this machine."""
    try:
        parts = urlsplit(text)
        host, is_bare = parts.hostname, text == f"{parts.scheme}://{parts.netloc}" and "@" not in parts.netloc
    except ValueError:  # an IPv6 address without its closing bracket
        return False
    return is_bare and bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK))


def one_of(env: Mapping[str, str], name: str, words: Mapping[str, object]) -> str:
    """Return the variable, one of the words. The first word is the default. Raises: ConfigError."""
    word = env.get(name) or next(iter(words))
    if word not in words:
        raise ConfigError(f"{name} is {quoted(word)}; it must be one of: {', '.join(words)}", setting=name)
    return word


def required(env: Mapping[str, str], name: str, meaning: str) -> str:
    """Return the variable. Raises: ConfigError where it is not set."""
    if not env.get(name):
        raise ConfigError(f"{name} is not set: {meaning}", setting=name)
    return env[name]


def number(env: Mapping[str, str], name: str, default: float, meaning: str, admits: Callable[[float], bool]) -> float:
    """Return the variable as a number. Raises: ConfigError."""
    text = env.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not (admits(value) and value < float("inf")):
        raise ConfigError(f"{name} is {quoted(text)}; it must be {meaning}", setting=name)
    return value


MOST = 2**53
"""The largest whole number of a setting; a larger one is not exact as a float."""


def whole_number(env: Mapping[str, str], name: str) -> int:
    """Return the variable as a whole number. The default is 0. Raises: ConfigError."""
    return int(number(env, name, 0, "a whole number", lambda n: 0 <= n <= MOST and n == int(n)))


def plain_name(env: Mapping[str, str], name: str) -> str:
    """Return a name that is also a folder's, or an empty text. Raises: ConfigError if it leads elsewhere."""
    value = env.get(name, "").strip()
    if value and not re.fullmatch(r"\w+([.-]\w+)*", value):
        what = f"{name} is {quoted(value)}; it becomes a folder, so it must be a plain name"
        raise ConfigError(what, remedy=f"Set {name} to letters, digits and _.", setting=name)
    return value


def web_address(env: Mapping[str, str], name: str) -> str:
    """Return the variable, an address that a browser opens. Raises: ConfigError."""
    text = env.get(name, "")
    if text and not text.startswith(("https://", "http://")):
        raise ConfigError(
            f"{name} is {quoted(text)}; it must be an address that starts with https:// or http://", setting=name
        )
    return text


def switch(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    """Return whether the variable is 1. Raises: ConfigError."""
    text = env.get(name) or str(int(default))
    if text not in ("0", "1"):
        raise ConfigError(f"{name} is {quoted(text)}; it must be 0 or 1", setting=name)
    return text == "1"


def setting_path(text: str) -> Path:
    """Return the path that a setting names.

    `~` is this user's home, as in a shell: in the file of a container or a service no shell expands it.
    """
    path = Path(bare(text))
    with suppress(RuntimeError):  # no home is known
        return path.expanduser()
    return path


_SECRET = re.compile(
    r"(?:SALESFORCE|SNOWFLAKE|AWS|PYICEBERG|DAGSTER)_\w*"
    r"(?:PRIVATE_KEY|SECRET_ACCESS_KEY|CONSUMER_KEY|HASH_KEY|TOKEN|PASSWORD|PASSPHRASE|CREDENTIAL)"
)
"""Names of variables with a secret. A variable with a file's name ends otherwise."""
SHORTEST_SECRET = 12
"""A shorter value of such a variable, such as `testing`, may be a word of any message."""


def protect_secrets(env: Mapping[str, str]) -> None:
    """Remove the environment's secrets from every text, also before a login uses them."""
    protect(*(value for name, value in env.items() if len(value) >= SHORTEST_SECRET and _SECRET.fullmatch(name)))


HOMES = ("SF_ASSETS_HOME", "DAGSTER_HOME")
_NO_PATH = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_NO_PATH_OF_DAGSTER = re.compile(r"[?\x00-\x1f\x7f\ud800-\udfff]|%[0-9a-fA-F]{2}")
"""Dagster puts its path into a URL of SQLite as it is."""


def home_folder(env: Mapping[str, str]) -> Path:
    """Return where the embedded defaults live: SF_ASSETS_HOME, else DAGSTER_HOME, else .sf_assets/ where we stand.

    Raises: ConfigError if one of the two cannot be a folder of Dagster.
    """
    folders = [folder for name in HOMES if (folder := _home(env, name))]
    return (folders or [Path(".sf_assets")])[0].absolute()


def dagster_home(env: Mapping[str, str]) -> Path | None:
    """Return DAGSTER_HOME, or None if it is not set. Raises: ConfigError."""
    return _home(env, "DAGSTER_HOME")


def _home(env: Mapping[str, str], name: str) -> Path | None:
    if not bare(env.get(name, "")):
        return None
    folder = setting_path(env[name])
    is_dagsters = name == "DAGSTER_HOME"
    if (_NO_PATH_OF_DAGSTER if is_dagsters else _NO_PATH).search(str(folder)):
        raise ConfigError(
            f"{name} is {redact(str(folder.absolute()))}, which cannot be used: it has a character that"
            f" {'Dagster cannot have in its path' if is_dagsters else 'no path of a table can have'}",
            remedy="Choose a folder without control characters and bytes that are not UTF-8 in its path; for"
            " DAGSTER_HOME also without ? and %.",
            setting=name,
        )
    if is_dagsters and not folder.is_absolute():
        raise ConfigError(
            f"DAGSTER_HOME is {redact(str(folder))}, which is not an absolute path",
            remedy=f"Set DAGSTER_HOME={redact(str(folder.absolute()))}",
            setting=name,
        )
    return folder
