"""Repair of JSON text that Salesforce or a gateway can send and that no strict parser reads."""

import codecs
import re

REPLACEMENT = rb"\ufffd"
"""The escape, not the character, marks a repaired place: Salesforce itself writes the character as UTF-8."""
_ESCAPE = re.compile(
    rb"\\\\"  # an escaped backslash: what follows it is plain text
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a whole pair
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"  # half of one
)


def repair_text(body: bytes) -> tuple[bytes, int]:
    """Replace broken characters by an escape; return the body and their number.

    Broken are the halves of a surrogate pair, as a text holds that was cut in the middle of an emoji, and bytes that
    are not UTF-8.
    """
    characters = 0

    def replace_half(match: re.Match[bytes]) -> bytes:
        nonlocal characters
        characters += match[1] is not None
        return REPLACEMENT if match[1] else match[0]

    def replace_bytes(error: UnicodeError) -> tuple[str, int]:
        nonlocal characters
        characters += 1
        return REPLACEMENT.decode(), getattr(error, "end", 0)

    codecs.register_error("sf_assets.repair", replace_bytes)
    text = body.decode("utf-8", "sf_assets.repair").encode()
    return _ESCAPE.sub(replace_half, text), characters


def replace_lone_surrogates(body: bytes) -> bytes:
    """Return the body with each broken character replaced by an escape."""
    return repair_text(body)[0]
