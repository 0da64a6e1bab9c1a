"""A private key in the forms that people store."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from sf_assets.errors import ConfigError
from sf_assets.salesforce.login.private_key import read_private_key


def text(key, form=PrivateFormat.PKCS8, encoding=Encoding.PEM, encryption=None):
    return key.private_bytes(encoding, form, encryption or NoEncryption())


FORMS = {
    "PKCS#8": lambda key: text(key).decode(),
    "PKCS#1": lambda key: text(key, PrivateFormat.TraditionalOpenSSL).decode(),
    "escaped line ends": lambda key: text(key).decode().replace("\n", "\\n"),
    "escaped Windows line ends": lambda key: text(key).decode().replace("\n", "\\r\\n"),
    "Windows line ends": lambda key: text(key).decode().replace("\n", "\r\n"),
    "spaces in place of line ends": lambda key: text(key).decode().replace("\n", " "),
    "no line ends at all": lambda key: text(key).decode().replace("\n", ""),
    "quoted": lambda key: f'"{text(key).decode()}"',
    "quoted and escaped": lambda key: json.dumps(text(key).decode()),
    "single quotes": lambda key: f"'{text(key).decode()}'",
    "indented": lambda key: "\n".join(f"    {line}" for line in text(key).decode().splitlines()),
    "text around it": lambda key: f"Bag Attributes\n  localKeyID: 1\n{text(key).decode()}\nend",
    "base64 of PEM": lambda key: base64.b64encode(text(key)).decode(),
    "base64 of PEM in lines": lambda key: base64.encodebytes(text(key)).decode(),
    "base64 of PKCS#1 PEM": lambda key: base64.b64encode(text(key, PrivateFormat.TraditionalOpenSSL)).decode(),
    "base64 of DER": lambda key: base64.b64encode(text(key, encoding=Encoding.DER)).decode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_key_is_read_from_every_form(rsa_key, form):
    assert read_private_key(FORMS[form](rsa_key)).private_numbers() == rsa_key.private_numbers()


def public(key):
    return key.public_key().public_bytes(Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


UNUSABLE = {
    "nothing": (lambda key: "", "is not a PEM|is cut|it is cut, damaged"),
    "a sentence": (lambda key: "the key is in the safe", "is not a PEM"),
    "half of it": (lambda key: text(key).decode()[:400], "is cut"),
    "a hole in it": (
        lambda key: text(key).decode().replace(text(key).decode().splitlines()[5] + "\n", ""),
        "cut, damaged",
    ),
    "a public key": (lambda key: public(key), "public key"),
    "a certificate": (lambda key: text(key).decode().replace("PRIVATE KEY", "CERTIFICATE"), "certificate"),
    "a passphrase": (lambda key: text(key, encryption=BestAvailableEncryption(b"x")).decode(), "passphrase"),
    "an old passphrase": (
        lambda key: text(key, PrivateFormat.TraditionalOpenSSL, encryption=BestAvailableEncryption(b"x")).decode(),
        "passphrase",
    ),
    "OpenSSH": (lambda key: text(key, PrivateFormat.OpenSSH).decode(), "OpenSSH"),
    "elliptic": (lambda key: text(ec.generate_private_key(ec.SECP256R1())).decode(), "not an RSA key"),
    "too short": (lambda key: text(rsa.generate_private_key(65537, 1024)).decode(), "1024 bits"),
}


@pytest.mark.parametrize("form", UNUSABLE)
def test_an_unusable_key_is_a_setting_to_correct_and_is_not_quoted(rsa_key, form):
    make, why = UNUSABLE[form]
    stored = make(rsa_key)

    with pytest.raises(ConfigError, match=why) as raised:
        read_private_key(stored)

    assert "PEM of the RSA private key" in raised.value.remedy
    assert len(stored) < 80 or stored[40:80] not in str(raised.value)
