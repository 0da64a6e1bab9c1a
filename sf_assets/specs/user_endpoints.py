"""A user's own endpoints, queries and settings, read from the folder of SF_ASSETS_SPECS.

`endpoints.toml` has `[[endpoint]]` rows of new endpoints and `[override.account]` settings of any endpoint.
`invoice.soql` is the query of a new endpoint; `account.soql` replaces the query of this package.
"""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sf_assets.errors import ConfigError, SpecError
from sf_assets.specs.files import read_bounded
from sf_assets.specs.model import EndpointRow, printable, quoted

TABLE = "endpoints.toml"
DEFAULTS: Mapping[str, Any] = {
    "how": "tail",
    "cadence": "hourly",
    "group": "custom",
    "owner": "team:data",
    "keys": ["id"],
    "excluded": [],
    "hashed": [],
    "deleted": "mark",
    "calculated": "default",
    "refreshed": [],
    "bulk": "default",
    "description": "",
    "stamp": "SystemModstamp",
    "history": False,
}
REQUIRED = ("endpoint", "sobject")
OVERRIDABLE = ("excluded", "hashed", "deleted", "calculated", "refreshed", "bulk", "cadence", "owner", "history")
LISTS = frozenset({"keys", "excluded", "hashed", "refreshed"})
SWITCHES = frozenset({"history"})
HISTORY = "_changes"
"""Ending of the name of a table that has the history of another one."""


@dataclass(frozen=True)
class _Places:
    """What messages call a row of a new endpoint, and the settings of an endpoint."""

    row: str
    override: str


TOML = _Places("[[endpoint]]", "[override.{}]")
YAML = _Places("custom_objects, row", "overrides.{}")


@dataclass(frozen=True)
class UserEndpoints:
    """All rows, with the user's settings applied, and the user's `.soql` files by endpoint."""

    rows: tuple[EndpointRow, ...]
    queries: Mapping[str, Path] = field(default_factory=dict)
    table: Path | None = None


def read_user_endpoints(folder: Path, package_rows: Sequence[EndpointRow]) -> UserEndpoints:
    """Read a user's folder.

    Raises: ConfigError without a folder; SpecError for anything in it that has no effect or a wrong one.
    """
    if not _is_folder(folder):
        remedy = "Create the folder, or correct SF_ASSETS_SPECS."
        raise ConfigError(f"SF_ASSETS_SPECS: {folder} is not a folder.", remedy=remedy, path=str(folder))
    table = _Table(folder / TABLE)
    own = table.rows([row.endpoint for row in package_rows])
    rows = table.overridden((*package_rows, *own))
    queries = {path.stem: path for path in sorted(folder.glob("*.soql"))}
    for name in sorted(queries.keys() - {row.endpoint for row in rows}):
        remedy = f"Add an [[endpoint]] called {quoted(name)}, or remove the file"
        raise table.refuse(f"{quoted(f'{name}.soql')} belongs to no endpoint", remedy)
    return UserEndpoints(
        rows, {**{row.endpoint: folder / f"{row.endpoint}.soql" for row in own}, **queries}, table.path
    )


def inline_endpoints(raw: Mapping[str, Any], package_rows: Sequence[EndpointRow], *, path: Path) -> list[EndpointRow]:
    """Return all rows with the rows and settings of a YAML file applied.

    raw: `custom_objects` (rows) and `overrides` (endpoint -> settings). Raises: SpecError that names the file.
    """
    table = _Table(path, {"endpoint": raw.get("custom_objects", []), "override": raw.get("overrides", {})}, YAML)
    own = table.rows([row.endpoint for row in package_rows])
    return list(table.overridden((*package_rows, *own)))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name that is too long, or has a NUL
        return False


class _Table:
    """The `endpoints.toml` of one folder, or values that another file holds. A missing file counts as an empty one."""

    def __init__(self, path: Path, raw: dict[str, Any] | None = None, places: _Places | None = None) -> None:
        self.path, self.places = path, places or TOML
        self.raw = self._read() if raw is None else raw
        self._refuse_unknown(self.raw, ("endpoint", "override"), where="the file")

    def rows(self, names: Sequence[str]) -> tuple[EndpointRow, ...]:
        """Return the rows of new endpoints. `taken` are the names that they may not have."""
        rows: list[EndpointRow] = []
        for number, raw in enumerate(self._list_of_tables(), 1):
            row = self._row(raw, where=f"{self.places.row} {number}")
            if row.endpoint in {*names, *(other.endpoint for other in rows)}:
                name = row.endpoint
                remedy = f"Choose another name, or change that endpoint by [override.{name}] and {name}.soql"
                raise self.refuse(f"there is an endpoint {name} already", remedy)
            rows.append(row)
        return tuple(rows)

    def overridden(self, rows: Sequence[EndpointRow]) -> tuple[EndpointRow, ...]:
        """Return the rows with their settings applied; excluded and hashed columns add up."""
        raw = self.raw.get("override", {})
        if not isinstance(raw, dict):
            raise self.refuse("override is not a table", "Write [override.account] and the settings below it")
        self._refuse_unknown(raw, [row.endpoint for row in rows], where="override", noun="endpoint")
        changed = tuple(self._changed(row, raw[row.endpoint]) if row.endpoint in raw else row for row in rows)
        self._refuse_taken_histories(changed)
        return changed

    def _refuse_taken_histories(self, rows: Sequence[EndpointRow]) -> None:
        names = {row.endpoint for row in rows}
        for row in rows:
            if row.history and f"{row.endpoint}{HISTORY}" in names:
                what = f"the history of {row.endpoint} would be called {row.endpoint}{HISTORY}, as an endpoint is"
                raise self.refuse(what, "Rename that endpoint")

    def refuse(self, what: str, remedy: str) -> SpecError:
        """Return the error for something in the file."""
        return SpecError(f"{self.path}: {what}.", remedy=f"{remedy}.", path=str(self.path))

    def _read(self) -> dict[str, Any]:
        try:
            content = read_bounded(self.path)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self.refuse(f"the file cannot be read ({error.strerror})", "Replace it by a readable file") from None
        return self._parsed(content)

    def _parsed(self, content: bytes) -> dict[str, Any]:
        try:
            return tomllib.loads(content.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise self.refuse(f"line {line} is not UTF-8", "Save the file as UTF-8") from None
        except RecursionError:
            raise self.refuse("its values are nested too deeply", "Write flat values (docs/endpoints.md)") from None
        except ValueError as error:  # TOMLDecodeError, or a number of thousands of digits
            remedy = "Correct the file at the line that the message names"
            raise self.refuse(f"not valid TOML: {printable(str(error))}", remedy) from None

    def _list_of_tables(self) -> list[dict[str, Any]]:
        raw = self.raw.get("endpoint", [])
        if not (isinstance(raw, list) and all(isinstance(row, dict) for row in raw)):
            raise self.refuse("endpoint is not a list of tables", "Write [[endpoint]], in two brackets, above each row")
        return raw

    def _row(self, raw: Mapping[str, Any], *, where: str) -> EndpointRow:
        self._refuse_unknown(raw, (*REQUIRED, *DEFAULTS), where=where)
        for key in REQUIRED:
            if key not in raw:
                raise self.refuse(f"{where} has no {key}", f'Add {key} = "…" to it')
        values = {key: self._value(key, value, where) for key, value in {**DEFAULTS, **raw}.items()}
        values["description"] = values["description"] or f"The org's own object {values['sobject']}."
        return self._checked(values, where)

    def _changed(self, row: EndpointRow, raw: object) -> EndpointRow:
        where = self.places.override.format(row.endpoint)
        if not isinstance(raw, dict):
            raise self.refuse(f"override.{row.endpoint} is not a table", f"Write {where} and the settings below it")
        self._refuse_unknown(raw, OVERRIDABLE, where=where)
        settings: dict[str, Any] = {key: self._value(key, value, where) for key, value in raw.items()}
        for name in ("excluded", "hashed"):
            settings[name] = tuple(dict.fromkeys((*getattr(row, name), *settings.get(name, ()))))
        return self._checked({**asdict(row), **settings}, where)

    def _checked(self, values: Mapping[str, Any], where: str) -> EndpointRow:
        """Return the row; its errors name this file."""
        try:
            return EndpointRow(**values)
        except SpecError as error:
            raise self.refuse(f"{where}: {str(error).rstrip('.')}", error.remedy.rstrip(".")) from None

    def _value(self, key: str, value: object, where: str) -> str | bool | tuple[str, ...]:
        if key in SWITCHES:
            if isinstance(value, bool):
                return value
            raise self.refuse(f"{where}: {key} is neither true nor false", f"Write {key} = true")
        if key not in LISTS:
            if isinstance(value, str):
                return value
            raise self.refuse(f"{where}: {key} is not a text", f'Write {key} = "…"')
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise self.refuse(f"{where}: {key} is not a list of texts", f'Write {key} = ["…", "…"]')

    def _refuse_unknown(self, raw: Mapping[str, Any], valid: Collection[str], *, where: str, noun: str = "key") -> None:
        for key in raw:
            if key not in valid:
                name = key if key.isidentifier() and len(key) <= 60 else quoted(key)
                raise self.refuse(f"{where} has an unknown {noun} {name}", f"Use one of {', '.join(valid)}")
