"""The naming rule: from a column's API name to its name in the tables."""

import re

EXACT = "__exact"
"""Ending of the second column of a whole number, which has its fractions. No API name ends like this."""
_SEAMS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])")


def column_name(api_name: str) -> str:
    """Return the table's name of a column: `Product2Id` → `product_2_id`, `My_Field__c` → `my_field__c`.

    A custom name (with `__`) is only lower-cased. A standard name also gets `_` between a lower and an upper case
    letter, and between a letter and a digit.
    """
    return (api_name if is_custom(api_name) else _SEAMS.sub("_", api_name)).lower()


def is_custom(api_name: str) -> bool:
    """Return whether a name looks custom: `Name__c`, `package__Name__c`, `Name__pc`, `Place__Latitude__s`."""
    return "__" in api_name
