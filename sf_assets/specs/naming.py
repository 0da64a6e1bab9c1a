"""The naming rule: from a column's API name to its name in the tables."""

import re

_SEAMS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])")


def column_name(api_name: str) -> str:
    """Return the table's name of a column: `Product2Id` → `product_2_id`, `My_Field__c` → `my_field__c`.

    A custom name (with `__`) is lower-cased and nothing else; a standard one gets `_` between lower and upper, and
    between letter and digit both ways, before.
    """
    return (api_name if is_custom(api_name) else _SEAMS.sub("_", api_name)).lower()


def is_custom(api_name: str) -> bool:
    """Whether a column or object looks custom: `__c`, `__pc`, `__Latitude__s`, with or without a package's prefix."""
    return "__" in api_name
