"""Repair of JSON text that Salesforce can send and that no strict parser reads."""

import re

REPLACEMENT = rb"\ufffd"
_ESCAPE = re.compile(
    rb"\\\\"  # an escaped backslash: what follows it is plain text
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a whole pair
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"  # half of one
)


def replace_lone_surrogates(body: bytes) -> bytes:
    r"""Replace each half of a surrogate pair by the escape `\ufffd`; the same bytes where there is none.

    A text that was cut in the middle of an emoji holds one. The escape, not the character, marks the place: Salesforce
    itself writes the character as UTF-8.
    """
    return _ESCAPE.sub(lambda match: REPLACEMENT if match[1] else match[0], body)
