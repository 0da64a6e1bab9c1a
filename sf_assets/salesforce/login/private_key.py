"""Read an RSA private key from whatever form a file or a secret store gives it; everything else is a ConfigError."""

import base64
import binascii
import re
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_private_key

from sf_assets.errors import ConfigError
from sf_assets.salesforce.login.credentials import LONGEST_KEY
from sf_assets.salesforce.setting_text import INVISIBLE

LEAST_BITS = 2048
_BLOCK = re.compile(r"-{2,9}BEGIN ([A-Z0-9 ]{1,40}?) ?-{2,9}(.*?)-{2,9}END \1 ?-{2,9}", re.DOTALL)
_KEYS = frozenset({"PRIVATE KEY", "RSA PRIVATE KEY"})
_OTHERS = {
    "ENCRYPTED PRIVATE KEY": "is protected by a passphrase",
    "OPENSSH PRIVATE KEY": "is in OpenSSH's own format",
    "EC PRIVATE KEY": "is an elliptic-curve key, and Salesforce accepts RSA only",
    "CERTIFICATE": "is the certificate, not the private key",
    "CERTIFICATE REQUEST": "is a certificate request, not the private key",
    "PUBLIC KEY": "is the public key, not the private key",
}
_REMEDY = (
    "Store the PEM of the RSA private key that belongs to the app's certificate, without a passphrase"
    " (openssl rsa -in server.key -out plain.key)."
)
_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))


def key_text(raw: bytes, *, source: str = "") -> str:
    """Return a key file as text: UTF-8, UTF-16 (PowerShell's `>`), Latin-1, or DER as base64.

    Raises: ConfigError, which holds none of the bytes.
    """
    if len(raw) > LONGEST_KEY:
        raise _unusable("is too long for a key", source=source)
    if raw[:1] == b"\x30" and b"-----" not in raw:
        return base64.b64encode(raw).decode()
    encoding = next((encoding for mark, encoding in _MARKS if raw.startswith(mark)), _unmarked_encoding(raw))
    return raw.decode(encoding, "replace")


def _unmarked_encoding(raw: bytes) -> str:
    head = raw[:20]
    if len(head) > 1 and 0 in head:
        return "utf-16-le" if head[1] == 0 else "utf-16-be"
    return "utf-8" if _is_utf8(raw) else "latin-1"


def _is_utf8(raw: bytes) -> bool:
    return "\ufffd" not in raw.decode("utf-8", "replace")


def read_private_key(text: str, *, source: str = "") -> RSAPrivateKey:
    """Return the key in `text`.

    It is PEM (PKCS#1 or PKCS#8) with real, escaped or missing line ends, quoted, or base64. A certificate may be in the
    same text. `source` names the file for messages.
    """
    try:
        key = _load(_der(text[:LONGEST_KEY], source=source))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _unusable("cannot be read: it is cut, damaged or protected by a passphrase", source=source) from None
    if not isinstance(key, RSAPrivateKey):
        raise _unusable("is not an RSA key", source=source)
    if key.key_size < LEAST_BITS:
        raise _unusable(f"has {key.key_size} bits, and Salesforce accepts {LEAST_BITS} or more", source=source)
    return key


@lru_cache(maxsize=8)
def _load(der: bytes) -> PrivateKeyTypes:
    """Load a key once per process: testing its primes takes 40 ms."""
    return load_der_private_key(der, password=None)


def _der(text: str, *, source: str) -> bytes:
    blocks = _BLOCK.findall(_plain(text)) or _BLOCK.findall(_plain(_unwrapped(text)))
    if not blocks:
        why = "is cut: its END line is missing" if "--BEGIN" in text else "is not a PEM"
        return _decoded(_plain(text), why=why, source=source)
    kind, body = next((block for block in blocks if block[0] in _KEYS), blocks[0])
    if kind not in _KEYS:
        raise _unusable(_why_other(blocks), source=source)
    if "ENCRYPTED" in body:
        raise _unusable(_OTHERS["ENCRYPTED PRIVATE KEY"], source=source)
    return _decoded(body, why="is not a PEM", source=source)


def _why_other(blocks: list[tuple[str, str]]) -> str:
    """Return what the text holds in place of a key."""
    kinds = sorted((kind for kind, _ in blocks), key=lambda kind: "PRIVATE" not in kind)
    return _OTHERS.get(kinds[0], "is not a private key")


def _plain(text: str) -> str:
    """Return the text without the quotes and escapes of JSON, shells and .env files."""
    plain = text.strip(INVISIBLE).strip("\"'").strip(INVISIBLE)
    return plain.replace("\\\\n", "\n").replace("\\r", "").replace("\\n", "\n").replace("\r", "")


def _unwrapped(text: str) -> str:
    """Return the PEM that was wrapped in one more base64, or an empty text."""
    try:
        return base64.b64decode("".join(_plain(text).split()), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return ""


def _decoded(body: str, *, why: str, source: str) -> bytes:
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        raise _unusable(why, source=source) from None


def _unusable(why: str, *, source: str) -> ConfigError:
    place = f" ({source})" if source else ""
    setting = "SALESFORCE_PRIVATE_KEY_FILE" if source else "SALESFORCE_PRIVATE_KEY"
    return ConfigError(f"{setting}: the private key{place} {why}", remedy=_REMEDY, setting=setting)
