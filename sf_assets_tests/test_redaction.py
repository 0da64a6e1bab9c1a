"""Secrets and control characters are removed from errors, values and log records, however they are written."""

import base64
import json
import logging
import time
import traceback

import pytest

from sf_assets.errors import SalesforceError
from sf_assets.errors.redaction import LONGEST_MESSAGE, get_logger, protect, redact, redact_value
from sf_assets_tests.canary import ENCODINGS, is_visible

TOKEN = "00D000000000001!AQ4AQH0dMHZfz972Sze-kifdkUh_kVHe.sesame.4nH4eqpHS4rMDkQbXGVbZ"
CONSUMER_KEY = "3MVG9sesameIODVf-fjUgGqRZ9pKuHvBaJ_Yd5v2xyzabcdefgh"
USERNAME = "sesame.integration@acme.example"
HASH_KEY = "sesame-hash-key-0123456789"
BODY = base64.b64encode(bytes(range(256)) * 5).decode()
LINES = [BODY[n : n + 64] for n in range(0, len(BODY), 64)]
PRIVATE_KEY = "\n".join(["-----BEGIN PRIVATE KEY-----", *LINES, "-----END PRIVATE KEY-----"])
SECRETS = [TOKEN, CONSUMER_KEY, USERNAME, HASH_KEY, PRIVATE_KEY]


@pytest.fixture(autouse=True)
def protected():
    protect(*SECRETS)


@pytest.mark.parametrize("secret", SECRETS, ids=["token", "consumer key", "username", "hash key", "private key"])
@pytest.mark.parametrize("name", ENCODINGS)
def test_a_secret_is_removed_in_every_encoding(name, secret):
    encode = ENCODINGS[name]
    text = f"before {encode(secret)} after"

    text_shown = redact(text)

    assert text_shown.startswith("before")
    assert not is_visible(secret, text_shown, encode)
    assert "…" in text_shown


@pytest.mark.parametrize("secret", [TOKEN, CONSUMER_KEY, PRIVATE_KEY])
def test_a_piece_of_a_secret_is_removed(secret):
    piece = secret[30:60].replace("\n", "")

    assert piece not in redact(f"the first part: {piece}")


@pytest.mark.parametrize("length", [16, 17, 20, 23, 24, 40])
@pytest.mark.parametrize("before", range(9))
def test_a_secret_of_any_length_is_removed_at_any_place(length, before):
    secret = f"{length:02d}Zq8Kw3Xv5Ty7Rn1Lm9Pj4Hg6Fd2Sb0Ac8Ve3Wu5"[:length]
    protect(secret)

    assert secret not in redact(f"{'x' * before}{secret}{'y' * 20}")


@pytest.mark.parametrize("line", LINES)
def test_each_line_of_the_key_is_removed(line):
    assert line not in redact(f"  {line}\r\n")


def test_errors_show_no_secret_in_message_values_or_traceback():
    error = SalesforceError(f"no right for {TOKEN}", value=TOKEN, columns=(TOKEN, "Name"), more={"a": [TOKEN]}, rows=3)

    for text in (str(error), repr(error), repr(error.values), "".join(traceback.format_exception(error))):
        assert "sesame" not in text
    assert error.values["rows"] == 3
    assert error.values["columns"][1] == "Name"


def test_log_records_show_no_secret_in_message_or_traceback(caplog):
    caplog.set_level(logging.DEBUG)
    log = get_logger("sf_assets.sample")

    log.warning("the answer was %s", json.dumps({"token": TOKEN}))
    try:
        raise ValueError(f"cannot read {TOKEN}")
    except ValueError:
        log.exception("a failure")

    assert "sesame" not in caplog.text
    assert "Traceback" in caplog.text


CONTROLS = ["\x1b[2J", "a\r\nWARNING forged", "a\nb", "\x00", "\x7f", "\x85", "\u2028", "\u202eabc", "\ud800"]


@pytest.mark.parametrize("text", CONTROLS)
def test_control_characters_are_escaped(text):
    text_shown = redact(text)

    assert text_shown.isprintable()
    assert "\\" in text_shown


def test_plain_text_of_any_language_stays_as_it_is():
    text = "Überweisung für Łódź, 東京, 🙂 and non-breaking\u00a0blanks: 100 % 'x' \"y\" \\d"

    assert redact(text) == text


def test_a_long_text_is_cut_and_says_so():
    text_shown = redact("x" * 1_000_000)

    assert len(text_shown) < LONGEST_MESSAGE + 50
    assert text_shown.endswith("… (cut, 1,000,000 characters)")


@pytest.mark.parametrize(
    "text", [" " * 1_000_000, "\\" * 1_000_000, "%41" * 300_000, "\\u0041" * 200_000, "&a" * 500_000]
)
def test_a_hostile_text_takes_little_time(text):
    began = time.process_time()

    redact(text)

    assert time.process_time() - began < 2.0


def test_values_that_are_no_text_stay_as_they_are():
    assert redact_value((1, 2.5, None, True, [TOKEN])) == (1, 2.5, None, True, ["…"])
