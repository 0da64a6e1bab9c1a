"""The credentials of a practice org: consumer key, private key, username."""

from dataclasses import dataclass, field
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

CONSUMER_KEY = "3MVG9PracticeOrgConsumerKey.of_the_practice_org_itself_0000000000000000000000000000000"


@dataclass(frozen=True)
class Credentials:
    """Consumer key, private key (PEM, PKCS 8) and username. The key works for practice orgs only."""

    consumer_key: str
    private_key: str = field(repr=False)
    username: str

    def public_key(self) -> rsa.RSAPublicKey:
        return _public_key(self.private_key)


@cache  # reading a private key proves its primes, which takes a tenth of a second
def _public_key(pem: str) -> rsa.RSAPublicKey:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the private key is not an RSA key")
    return key.public_key()


def new_private_key() -> str:
    """Return a new RSA key of 2048 bits as PEM."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem.decode()


@cache
def process_private_key() -> str:
    """Return one key for all orgs of the process.

    Making a key takes a tenth of a second.
    """
    return new_private_key()
