"""What `sf-assets practice change|break|fix` sends to a practice org: operations of its admin API."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from sf_assets.commands.practice import call
from sf_assets.errors import ConfigError
from sf_assets.specs.endpoints import ENDPOINTS

WHOLE, NUMBERS = frozenset({"int", "long"}), frozenset({"double", "currency", "percent"})
TRUTH = {"true": True, "false": False}


def sobject_of(name: str) -> str:
    """Return the object of an endpoint; the name of an object stays. Raises: ConfigError."""
    objects = {row.endpoint: row.sobject for row in ENDPOINTS}
    if name in objects or not name.islower() or "__" in name:
        return objects.get(name, name)
    near = get_close_matches(name, objects, n=1)
    advice = f"Did you mean {near[0]}?" if near else f"Choose one of: {', '.join(objects)}."
    raise ConfigError(f"no endpoint is named {name}", remedy=f"{advice} The API name of an object is allowed too.")


class PracticeChanges:
    """Changes of one practice org, by its URL."""

    def __init__(self, url: str) -> None:
        self.url = url

    def apply(self, op: str, **arguments: Any) -> Any:
        """Apply one operation and return its result."""
        return call(self.url, "changes", [{"op": op, **arguments}])[0]

    def one_row(self, sobject: str, record_id: str | None) -> dict[str, Any]:
        """Return a row by its Id, or the first that is not deleted. Raises: ConfigError."""
        query = f"?id={record_id}" if record_id else "?deleted=0&limit=1"
        rows: list[dict[str, Any]] = call(self.url, f"truth/{sobject}{query}")
        if not rows:
            raise ConfigError(f"{sobject} has no rows to change", remedy="Insert one: --insert Name=Acme")
        return rows[0]

    def row_ids(self, sobject: str, count: int) -> list[str]:
        """Return the Ids of the first rows."""
        return [row["Id"] for row in call(self.url, f"truth/{sobject}?limit={count}")]

    def values(self, sobject: str, assignments: Sequence[str]) -> dict[str, Any]:
        """Return the values of `COLUMN=VALUE` texts by API name, in the column's type.

        Raises:
            ConfigError: A text has another form, its column is unknown, or its value does not fit the type.
        """
        fields = {_key(field["name"]): field for field in call(self.url, f"fields/{sobject}")}
        return dict(_assigned(text, sobject, fields) for text in assignments)

    def column(self, sobject: str, name: str) -> str:
        """Return the API name of a column, given in any case. Raises: ConfigError."""
        fields = {_key(field["name"]): field for field in call(self.url, f"fields/{sobject}")}
        return str(_field(name, sobject, fields)["name"])

    def add_fault(self, **fault: Any) -> None:
        call(self.url, "faults", [fault])

    def fix(self) -> None:
        """Remove all faults, use the default settings, and show all columns, rows and objects."""
        call(self.url, "faults", method="DELETE")
        call(self.url, "behaviour", method="DELETE")
        self.apply("restore")


def _key(name: str) -> str:
    return name.replace("_", "").lower()


def _field(name: str, sobject: str, fields: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    if _key(name) not in fields:
        names = ", ".join(field["name"] for field in fields.values())
        raise ConfigError(f"{sobject} has no column {name}", remedy=f"Choose one of: {names}.")
    return fields[_key(name)]


def _assigned(text: str, sobject: str, fields: Mapping[str, dict[str, Any]]) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"{text!r} is not COLUMN=VALUE", remedy='Write for example Name="Acme Ltd".')
    field = _field(name, sobject, fields)
    try:
        return field["name"], _typed(value, field["type"])
    except (ValueError, KeyError):
        raise ConfigError(
            f"{value!r} is not a value of {sobject}.{field['name']} ({field['type']})", remedy="Choose another value."
        ) from None


def _typed(value: str, type_name: str) -> Any:
    if not value:
        return None
    if type_name == "boolean":
        return TRUTH[value.lower()]
    if type_name in WHOLE:
        return int(value)
    return float(value) if type_name in NUMBERS else value
