"""Record Ids: a key prefix of three characters, a number in base 62, and a checksum of case."""

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def eighteen(short: str) -> str:
    """Return the 18-character form of an Id of 15 or 18 characters."""
    if len(short) != 15:
        return short
    return short + "".join(CHECKSUM[_capitals(short[start : start + 5])] for start in (0, 5, 10))


def _capitals(chunk: str) -> int:
    return sum(1 << place for place, letter in enumerate(chunk) if "A" <= letter <= "Z")


def record_id_of(prefix: str, number: int) -> str:
    """Return the Id with this number. Ids of one prefix sort as their numbers do."""
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = ALPHABET[digit] + digits
    return eighteen(prefix + digits.rjust(15 - len(prefix), "0"))


def id_number(record_id: str) -> int:
    """Return the number of an Id, the inverse of `record_id_of`."""
    number = 0
    for letter in record_id[3:15]:
        number = number * 62 + ALPHABET.index(letter)
    return number
