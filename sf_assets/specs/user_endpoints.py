"""A user's own endpoints, queries and settings, read from a folder beside this package: ours are never edited.

`endpoints.toml` holds `[[endpoint]]` rows of new endpoints and `[override.account]` settings of any; `invoice.soql` is
the query of a new endpoint, `account.soql` stands instead of ours.
"""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sf_assets.errors import ConfigError, SpecError
from sf_assets.specs.model import EndpointRow

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
    "description": "",
}
REQUIRED = ("endpoint", "sobject")
OVERRIDABLE = ("excluded", "hashed", "deleted", "cadence", "owner")
LISTS = frozenset({"keys", "excluded", "hashed"})


@dataclass(frozen=True)
class Additions:
    """All rows, ours with the user's settings and then the user's own, and the user's `.soql` files by endpoint."""

    rows: tuple[EndpointRow, ...]
    queries: Mapping[str, Path] = field(default_factory=dict)


def read_additions(folder: Path, ours: Sequence[EndpointRow]) -> Additions:
    """Read a user's folder. Raises SpecError for whatever in it would have no effect or a wrong one."""
    if not folder.is_dir():
        remedy = "Create the folder, or correct SF_ASSETS_SPECS."
        raise ConfigError(f"The folder of your own specs, {folder}, does not exist.", remedy=remedy, path=str(folder))
    table = _Table(folder / TABLE)
    own = table.rows([row.endpoint for row in ours])
    rows = table.overridden((*ours, *own))
    queries = {path.stem: path for path in sorted(folder.glob("*.soql"))}
    for name in sorted(queries.keys() - {row.endpoint for row in rows}):
        remedy = f"Add an [[endpoint]] called {name}, or take the file away"
        raise table.refuse(f"{name}.soql belongs to no endpoint", remedy)
    return Additions(rows, {**{row.endpoint: folder / f"{row.endpoint}.soql" for row in own}, **queries})


class _Table:
    """The `endpoints.toml` of one folder; a missing file is an empty one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.raw = self._read()
        self._known(self.raw, ("endpoint", "override"), where="the file")

    def rows(self, taken: Sequence[str]) -> tuple[EndpointRow, ...]:
        rows: list[EndpointRow] = []
        for number, raw in enumerate(self._list_of_tables(), 1):
            row = self._row(raw, where=f"[[endpoint]] {number}")
            if row.endpoint in {*taken, *(other.endpoint for other in rows)}:
                name = row.endpoint
                remedy = f"Choose another name, or change that endpoint by [override.{name}] and {name}.soql"
                raise self.refuse(f"there is an endpoint {name} already", remedy)
            rows.append(row)
        return tuple(rows)

    def overridden(self, rows: Sequence[EndpointRow]) -> tuple[EndpointRow, ...]:
        """Return the rows with their settings applied; excluded and hashed columns add up."""
        raw = self.raw.get("override", {})
        if not isinstance(raw, dict):
            raise self.refuse("override is no table", "Write [override.account] and the settings below it")
        self._known(raw, [row.endpoint for row in rows], where="override", noun="endpoint")
        return tuple(self._changed(row, raw[row.endpoint]) if row.endpoint in raw else row for row in rows)

    def refuse(self, what: str, remedy: str) -> SpecError:
        return SpecError(f"{self.path}: {what}.", remedy=f"{remedy}.", path=str(self.path))

    def _read(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self.path.read_bytes().decode())
        except FileNotFoundError:
            return {}
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise self.refuse(f"no TOML: {error}", "Correct the file at the line that the message names") from None

    def _list_of_tables(self) -> list[dict[str, Any]]:
        raw = self.raw.get("endpoint", [])
        if not (isinstance(raw, list) and all(isinstance(row, dict) for row in raw)):
            raise self.refuse("endpoint is no list of tables", "Write [[endpoint]], in two brackets, above each row")
        return raw

    def _row(self, raw: Mapping[str, Any], *, where: str) -> EndpointRow:
        self._known(raw, (*REQUIRED, *DEFAULTS), where=where)
        for key in REQUIRED:
            if key not in raw:
                raise self.refuse(f"{where} has no {key}", f'Add {key} = "…" to it')
        values = {key: self._value(key, value, where) for key, value in {**DEFAULTS, **raw}.items()}
        values["description"] = values["description"] or f"The org's own object {values['sobject']}."
        return self._made(values, where)

    def _changed(self, row: EndpointRow, raw: object) -> EndpointRow:
        where = f"[override.{row.endpoint}]"
        if not isinstance(raw, dict):
            raise self.refuse(f"override.{row.endpoint} is no table", f"Write {where} and the settings below it")
        self._known(raw, OVERRIDABLE, where=where)
        settings: dict[str, Any] = {key: self._value(key, value, where) for key, value in raw.items()}
        for name in ("excluded", "hashed"):
            settings[name] = tuple(dict.fromkeys((*getattr(row, name), *settings.get(name, ()))))
        return self._made({**asdict(row), **settings}, where)

    def _made(self, values: Mapping[str, Any], where: str) -> EndpointRow:
        try:
            return EndpointRow(**values)
        except SpecError as error:
            raise self.refuse(f"{where}: {str(error).rstrip('.')}", error.remedy.rstrip(".")) from None

    def _value(self, key: str, value: object, where: str) -> str | tuple[str, ...]:
        if key not in LISTS:
            if isinstance(value, str):
                return value
            raise self.refuse(f"{where}: {key} is no text", f'Write {key} = "…"')
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise self.refuse(f"{where}: {key} is no list of texts", f'Write {key} = ["…", "…"]')

    def _known(self, raw: Mapping[str, Any], valid: Collection[str], *, where: str, noun: str = "key") -> None:
        for key in raw:
            if key not in valid:
                raise self.refuse(f"{where} has an unknown {noun} {key}", f"Use one of {', '.join(valid)}")
