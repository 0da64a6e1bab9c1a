"""Values of settings: what a message may quote, and what an origin is."""

from urllib.parse import urlsplit

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
