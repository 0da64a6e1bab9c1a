"""Read an RSA private key from whatever form a secret store made of its PEM; what is unusable is a ConfigError."""

import base64
import binascii
import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from sf_assets.errors import ConfigError

LEAST_BITS = 2048
_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+?)-----(.*?)-----END \1-----", re.DOTALL)
_KEYS = frozenset({"PRIVATE KEY", "RSA PRIVATE KEY"})
_OTHERS = {
    "ENCRYPTED PRIVATE KEY": "is protected by a passphrase",
    "OPENSSH PRIVATE KEY": "is in OpenSSH's own format",
    "EC PRIVATE KEY": "is an elliptic-curve key, and Salesforce takes RSA only",
    "CERTIFICATE": "is the certificate, not the private key",
    "PUBLIC KEY": "is the public key, not the private key",
}
_REMEDY = (
    "Store the PEM of the RSA private key that belongs to the app's certificate, without a passphrase"
    " (openssl rsa -in server.key -out plain.key)."
)


def read_private_key(text: str) -> RSAPrivateKey:
    """The key in `text`: PEM (PKCS#1 or PKCS#8) with real, escaped or missing line ends, quoted, or base64 of it."""
    try:
        key = load_der_private_key(_der(text), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _unusable("cannot be read: it is cut or damaged") from None
    if not isinstance(key, RSAPrivateKey):
        raise _unusable("is not an RSA key")
    if key.key_size < LEAST_BITS:
        raise _unusable(f"has {key.key_size} bits, and Salesforce takes {LEAST_BITS} or more")
    return key


def _der(text: str) -> bytes:
    found = _PEM.search(_plain(text)) or _PEM.search(_plain(_unwrapped(text)))
    if found is None:
        return _decoded(_plain(text))
    kind, body = found.groups()
    if kind not in _KEYS:
        raise _unusable(_OTHERS.get(kind, "is not a private key"))
    if "ENCRYPTED" in body:
        raise _unusable(_OTHERS["ENCRYPTED PRIVATE KEY"])
    return _decoded(body)


def _plain(text: str) -> str:
    """The text without the quotes and escapes that JSON, shells and .env files put around it."""
    bare = text.strip().strip("\"'").strip()
    return bare.replace("\\r", "").replace("\\n", "\n").replace("\r", "")


def _unwrapped(text: str) -> str:
    """The PEM that was wrapped in one more base64, or an empty text."""
    try:
        return base64.b64decode("".join(_plain(text).split()), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return ""


def _decoded(body: str) -> bytes:
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        raise _unusable("is no PEM") from None


def _unusable(why: str) -> ConfigError:
    return ConfigError(f"the private key {why}", remedy=_REMEDY, setting="SALESFORCE_PRIVATE_KEY")
