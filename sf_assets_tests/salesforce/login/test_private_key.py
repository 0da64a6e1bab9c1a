"""A private key in the forms that people store."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from sf_assets.assets.credentials import EnvironmentCredentials, read_secret_file
from sf_assets.errors import ConfigError
from sf_assets.salesforce.login.credentials import Credentials
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
    "four dashes": lambda key: text(key).decode().replace("-----BEGIN", "----BEGIN"),
    "literal carriage returns alone": lambda key: text(key).decode().replace("\n", "\\r"),
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
    text = make(rsa_key)

    with pytest.raises(ConfigError, match=why) as error_info:
        read_private_key(text)

    assert "PEM of the RSA private key" in error_info.value.remedy
    assert len(text) < 80 or text[40:80] not in str(error_info.value)


CERTIFICATE = f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(bytes(900)).decode()}\n-----END CERTIFICATE-----\n"
FILES = {
    "UTF-8": lambda key: text(key),
    "UTF-8 with a mark": lambda key: b"\xef\xbb\xbf" + text(key),
    "UTF-16 of PowerShell": lambda key: text(key).decode().encode("utf-16"),
    "UTF-16 little-endian, unmarked": lambda key: text(key).decode().encode("utf-16-le"),
    "UTF-16 big-endian": lambda key: b"\xfe\xff" + text(key).decode().encode("utf-16-be"),
    "DER": lambda key: text(key, encoding=Encoding.DER),
    "DER of PKCS#1": lambda key: text(key, PrivateFormat.TraditionalOpenSSL, Encoding.DER),
    "a Latin-1 comment": lambda key: "# Schlüssel für Müller\n".encode("latin-1") + text(key),
    "CRLF": lambda key: text(key).replace(b"\n", b"\r\n"),
    "certificate before the key": lambda key: CERTIFICATE.encode() + text(key),
    "key before the certificate": lambda key: text(key) + CERTIFICATE.encode(),
    "literal line ends": lambda key: text(key).replace(b"\n", b"\\n"),
    "doubly escaped line ends": lambda key: text(key).replace(b"\n", b"\\\\n"),
    "base64 of PEM": lambda key: base64.b64encode(text(key)),
}


@pytest.mark.parametrize("form", FILES)
def test_a_key_file_is_read_in_every_encoding(rsa_key, tmp_path, form):
    path = tmp_path / "server.key"
    path.write_bytes(FILES[form](rsa_key))

    read = read_private_key(read_secret_file(path, "SALESFORCE_PRIVATE_KEY_FILE"))

    assert read.private_numbers() == rsa_key.private_numbers()


UNUSABLE_FILES = {
    "empty": lambda key: b"",
    "line ends alone": lambda key: b"\xef\xbb\xbf\r\n \n",
    "quotes alone": lambda key: b'""\n',
    "a passphrase": lambda key: text(key, encryption=BestAvailableEncryption(b"x")),
    "OpenSSH": lambda key: text(key, PrivateFormat.OpenSSH),
    "cut": lambda key: text(key)[:900],
    "cut DER": lambda key: text(key, encoding=Encoding.DER)[:900],
    "only the certificate": lambda key: CERTIFICATE.encode(),
    "UTF-16 cut in a character": lambda key: text(key).decode().encode("utf-16")[:1001],
    "bytes of no kind": lambda key: bytes(range(256)) * 10,
    "a file that is too long": lambda key: text(key) + b" " * 200_000,
}


@pytest.mark.parametrize("form", UNUSABLE_FILES)
def test_an_unusable_key_file_is_named_with_its_path_alone(org, rsa_key, tmp_path, form):
    path = tmp_path / "server.key"
    path.write_bytes(UNUSABLE_FILES[form](rsa_key))
    source = EnvironmentCredentials(consumer_key="key", username="a@b.example", private_key_file=str(path))

    with pytest.raises(ConfigError) as error_info:
        org.client(credentials=source.fetch()).org_id()

    assert "SALESFORCE_PRIVATE_KEY_FILE" in str(error_info.value)
    assert str(path) in str(error_info.value)
    assert error_info.value.__context__ is None or error_info.value.__suppress_context__
    assert text(rsa_key).decode()[100:140] not in repr(error_info.getrepr(showlocals=False))
    assert org.seen == []


@pytest.mark.parametrize("around", [" {} ", "{}\r\n", "\ufeff{}\u00a0", "\t{}\n", '"{}"', "'{}'\n", '" {}"'])
def test_what_surrounds_consumer_key_and_username_is_no_part_of_them(around):
    with_blanks = Credentials(around.format("3MVG9"), around.format("PEM"), around.format("a@b.example"))

    assert with_blanks == Credentials("3MVG9", "PEM", "a@b.example")
