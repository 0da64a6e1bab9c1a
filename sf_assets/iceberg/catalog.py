"""The catalog and its tables: open, create at first use, refuse the tables of other tools."""

import json
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property

from pyiceberg.catalog import URI, Catalog, load_catalog
from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError, TableAlreadyExistsError
from pyiceberg.io import load_file_io
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.types import NestedField
from pyiceberg.utils.config import Config

from sf_assets.errors import ColumnIncompatible, IcebergError, TableDamaged, TableForeign, TableUnsupported
from sf_assets.iceberg.commit.schema_evolution import PROVISIONAL, provisional_property, refuse_case_twins
from sf_assets.iceberg.commit.table_properties import PROPERTIES, VERSION
from sf_assets.iceberg.files import has_files
from sf_assets.iceberg.metadata_location import metadata_location
from sf_assets.iceberg.model import TableColumn
from sf_assets.iceberg.translate_errors import damage_of, is_from

KIND = "sf_assets.kind"
KEYS = "sf_assets.keys"
SQLITE_TIMEOUT_SECONDS = "60"
FIRST_USE_TRIES = 5
NEWEST_FORMAT = 2
SET_ASIDE = "__set_aside_"
"""Part of the name of a table that a repair replaced."""
SQL = frozenset({"sqlalchemy"})


class IcebergCatalog:
    """One catalog and one namespace in it. The connection opens at first use and stays for the object's lifetime."""

    def __init__(self, *, catalog: str, namespace: str, properties: Mapping[str, str]) -> None:
        self.namespace = namespace
        self._name = catalog
        self._properties = dict(properties)

    @cached_property
    def catalog(self) -> Catalog:
        """The pyiceberg catalog. Several processes may create its database at the same moment."""
        properties = with_timeout(self._name, self._properties)
        for left in range(FIRST_USE_TRIES - 1, -1, -1):
            try:
                return load_catalog(self._name, **properties)
            except ValueError as error:
                raise IcebergError(f"catalog {self._name}: {error}", catalog=self._name) from error
            except Exception as error:
                if not left or not is_from(SQL, error) or "locked" in str(error):  # SQLite has waited
                    raise
        raise AssertionError("unreachable")

    def find(self, name: str) -> Table | None:
        """Return the table, or None if it does not exist. Raises: TableForeign, TableUnsupported, TableDamaged."""
        try:
            table = self.load(name)
        except (NoSuchTableError, NoSuchNamespaceError):
            return None
        if VERSION not in table.properties:
            raise TableForeign(f"{name}: the table was not made by sf_assets", table=name)
        refuse_newer_format(table, name)
        return table

    def load(self, name: str) -> Table:
        """Return the table, whoever made it. Raises: TableDamaged, and pyiceberg's NoSuchTableError."""
        try:
            table = self.catalog.load_table((self.namespace, name))
        except NoSuchTableError:
            raise
        except Exception as error:
            what = None if self._is_rest else damage_of(error)
            if what is None:
                raise
            path = metadata_location(self.catalog, self.namespace, name)
            raise TableDamaged(f"{name}: the metadata file {path} is damaged: {what}", table=name, path=path) from error
        if (what := None if self._is_rest else contradiction_in(table)) is not None:
            path = table.metadata_location
            raise TableDamaged(f"{name}: the metadata file {path} is damaged: {what}", table=name, path=path)
        return table

    def register(self, name: str, location: str) -> None:
        """Make the catalog name this metadata file for the table. The files stay."""
        self._ensure_namespace()
        with suppress(NoSuchTableError):
            self.catalog.drop_table((self.namespace, name))
        self.catalog.register_table((self.namespace, name), location)

    def set_aside(self, name: str, target: str) -> None:
        """Rename the table. Its files stay; a new table of its name gets another folder."""
        try:
            self.catalog.rename_table((self.namespace, name), (self.namespace, target))
        except Exception as error:
            if damage_of(error) is None:
                raise
            with suppress(NoSuchTableError):  # renamed, but not loaded under its new name
                self.catalog.drop_table((self.namespace, name))

    def names(self) -> tuple[str, ...]:
        """Return the names of the namespace's tables, sorted, without those that a repair set aside."""
        try:
            identifiers = self.catalog.list_tables(self.namespace)
        except NoSuchNamespaceError:
            return ()
        return tuple(sorted(identifier[-1] for identifier in identifiers if SET_ASIDE not in identifier[-1]))

    def open(
        self, name: str, *, columns: Sequence[TableColumn], keys: Sequence[str] | None, kind: str, doc: str = ""
    ) -> Table:
        """Return the table; create it if it does not exist.

        keys None: accept the table's own keys. A table made without keys takes those of the first write.
        Raises: TableForeign if the table has other keys or is of another kind.
        """
        table = self.find(name)
        if table is None:
            table = self._create(name, columns=columns, properties=_properties(columns, keys=keys, kind=kind, doc=doc))
        if keys is not None and KEYS not in table.properties:
            table = table.transaction().set_properties(_key_properties(keys)).commit_transaction()
        refuse_other(table, name, keys=keys, kind=kind)
        refuse_missing_keys(table, name)
        return table

    def _create(self, name: str, *, columns: Sequence[TableColumn], properties: Mapping[str, str]) -> Table:
        refuse_case_twins([column.name for column in columns], table=name)
        fields = [
            NestedField(number, column.name, column.type, required=False, doc=column.doc or None)
            for number, column in enumerate(columns, start=1)
        ]
        self._ensure_namespace()
        schema, identifier = Schema(*fields), (self.namespace, name)
        with suppress(TableAlreadyExistsError):
            location = self._free_location(identifier, schema)
            return self.catalog.create_table(identifier, schema, location=location, properties=dict(properties))
        return self.catalog.load_table((self.namespace, name))

    @property
    def _is_rest(self) -> bool:
        return self.catalog.properties.get("type") == "rest" or type(self.catalog).__name__ == "RestCatalog"

    def _free_location(self, identifier: tuple[str, str], schema: Schema) -> str | None:
        """Return a new folder if the default one has files of a former table.

        A former table was dropped or set aside. Its files must not become orphans of the new one.
        """
        if self._is_rest:
            return None  # the server chooses the folder
        staged = self.catalog.create_table_transaction(identifier, schema)
        location = staged.table_metadata.location
        is_taken = has_files(load_file_io(dict(self.catalog.properties), location), f"{location}/data")
        return f"{location}-{uuid.uuid4().hex[:8]}" if is_taken else None

    def _ensure_namespace(self) -> None:
        """Create the namespace; another process may create it at the same moment."""
        if self.catalog.namespace_exists(self.namespace):
            return
        try:
            self.catalog.create_namespace(self.namespace)
        except Exception:
            if not self.catalog.namespace_exists(self.namespace):
                raise


def contradiction_in(table: Table) -> str | None:
    """Return what cannot be true of a metadata file that can be read, or None."""
    current = table.metadata.current_snapshot_id
    if current is not None and table.current_snapshot() is None:
        return f"it has no snapshot {current}, which it names as the current one"
    folder = table.metadata_location.rpartition("/metadata/")[0]
    if folder and folder.rpartition("/")[0] == table.location().rpartition("/")[0] and folder != table.location():
        return f"it is of another table, in {table.location()}"
    odd = next((key for key in (KEYS, PROVISIONAL) if not _is_list_of_names(table.properties.get(key, "[]"))), None)
    return odd and f"the table property {odd} is unreadable"


def _is_list_of_names(text: str) -> bool:
    try:
        names = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(names, list) and all(isinstance(name, str) for name in names)


def with_timeout(name: str, properties: Mapping[str, str]) -> dict[str, str]:
    """Return the properties, with a lock timeout of one minute for SQLite (default: five seconds)."""
    configured = Config().get_catalog_config(name) or {}
    uri = properties.get(URI) or configured.get(URI)
    if not isinstance(uri, str) or not uri.startswith("sqlite"):
        return dict(properties)
    from sqlalchemy.engine import make_url  # only here: other catalogs do without it

    url = make_url(uri)
    if "timeout" not in url.query:
        url = url.update_query_dict({"timeout": SQLITE_TIMEOUT_SECONDS})
    return {**properties, URI: url.render_as_string(hide_password=False)}


def refuse_other(table: Table, name: str, *, keys: Sequence[str] | None, kind: str) -> None:
    """Raise TableForeign if the table has another kind or other keys."""
    table_keys = keys_of(table)
    if table.properties.get(KIND) != kind or (keys is not None and table_keys != tuple(keys)):
        table_kind = table.properties.get(KIND)
        raise TableForeign(
            f"{name}: the table holds {table_kind} with keys {list(table_keys)}, not {kind} {list(keys or ())}",
            table=name,
            remedy="Give the endpoint the keys that the table has, or point SF_ASSETS_NAMESPACE at an empty namespace.",
        )


def refuse_newer_format(table: Table, name: str) -> None:
    """Raise TableUnsupported for format version 3: its deletion vectors cannot be written here."""
    version = table.metadata.format_version
    if version > NEWEST_FORMAT:
        raise TableUnsupported(
            f"{name}: the table was upgraded to Iceberg format version {version}; sf_assets writes version"
            f" {NEWEST_FORMAT}",
            table=name,
            remedy="Iceberg has no downgrade: `sf-assets repair` sets the table aside, the next run copies it again.",
        )


def refuse_missing_keys(table: Table, name: str) -> None:
    """Raise ColumnIncompatible if a key column is missing: every row would come twice."""
    missing = [key for key in keys_of(table) if key not in table.schema().column_names]
    if missing and table.current_snapshot() is not None:
        raise ColumnIncompatible(
            f"{name}: the table has no column {missing[0]}, which is its key",
            table=name,
            column=missing[0],
            remedy=f"Rename the key column back to {missing[0]}, or roll the table back.",
        )


def keys_of(table: Table) -> tuple[str, ...]:
    """Return the table's key columns; empty for a plain frame."""
    return _names_in(table, KEYS)


def provisional_of(table: Table) -> tuple[str, ...]:
    """Return the columns that have a provisional type."""
    return _names_in(table, PROVISIONAL)


def _names_in(table: Table, key: str) -> tuple[str, ...]:
    try:
        return tuple(json.loads(table.properties.get(key, "[]")))
    except (ValueError, TypeError) as error:
        raise TableDamaged(f"{table.name()[-1]}: the table property {key} is unreadable", path=key) from error


def _properties(columns: Sequence[TableColumn], *, keys: Sequence[str] | None, kind: str, doc: str) -> dict[str, str]:
    provisional = [column.name for column in columns if column.provisional]
    return {
        **PROPERTIES,
        **provisional_property(provisional),
        **({} if keys is None else _key_properties(keys)),
        **({"comment": doc} if doc else {}),
        KIND: kind,
    }


def _key_properties(keys: Sequence[str]) -> dict[str, str]:
    """Return the properties that store the keys and full bounds for them.

    Iceberg cuts text bounds to 16 characters by default. A Salesforce Id has 18.
    """
    whole = {f"write.metadata.metrics.column.{key}": "full" for key in keys}
    return {KEYS: json.dumps(list(keys)), **whole}
