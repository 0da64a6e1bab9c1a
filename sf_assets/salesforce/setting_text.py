"""The text of a setting, as people and tools leave it in an environment variable."""

INVISIBLE = " \t\r\n\v\f\u00a0\ufeff\u200b"
"""Characters that a copy and paste leaves at the ends of a value."""
QUOTES = "\"'"


def bare(text: str) -> str:
    """Return a setting without blanks, line ends and one pair of quotes around it.

    `docker run --env-file` keeps the quotes that a shell removes (moby/moby#46773).
    """
    inner = text.strip(INVISIBLE)
    if len(inner) > 1 and inner[0] == inner[-1] and inner[0] in QUOTES:
        return inner[1:-1].strip(INVISIBLE)
    return inner
