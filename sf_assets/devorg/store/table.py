"""The rows of one object, with an index by Id and one by SystemModstamp. It knows fields, not SOQL.

Some computed rows share one Id (ObjectPermissions). The key of a row is its Id; a further row with that Id has a suffix
that sorts right after it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain, count
from typing import Any

from sf_assets.devorg.store.ids import eighteen, id_number, record_id_of
from sf_assets.devorg.store.row_codec import (
    FALSE,
    FRACTIONAL,
    TRUE,
    decode,
    default_value,
    encode_row,
    encode_value,
    split_row,
)
from sf_assets.devorg.store.schema import FieldSchema, ObjectSchema
from sf_assets.devorg.store.sorted_keys import SortedKeys
from sf_assets.devorg.store.timestamps import milliseconds

STAMP = "SystemModstamp"
REPEAT = "#"
AFTER_REPEATS = "~"  # sorts after an Id and all its repeats
ARCHIVING = frozenset({"Task", "Event"})
INDEXED = frozenset({"Id", STAMP, "IsDeleted", "IsArchived"})
MANY = 5_000


class Table:
    """The rows of one object. Not thread-safe: the org holds the lock.

    `bin_keys` are the stamps of deleted rows, `deleted_keys` those of deleted or archived rows, which only queryAll
    shows. `hidden_keys` are rows that the user may not see.
    """

    def __init__(self, schema: ObjectSchema) -> None:
        self.schema = replace(schema, fields=dict(schema.fields))
        self.rows: dict[str, bytes] = {}
        self.by_id: SortedKeys[str] = SortedKeys()
        self.by_stamp: SortedKeys[tuple[int, str]] = SortedKeys()
        self.deleted_keys: dict[str, int] = {}
        self.bin_keys: dict[str, int] = {}
        self.hidden_keys: set[str] = set()
        self._greatest_id = ""
        self._lay_out()

    def _lay_out(self) -> None:
        fields = self.schema.fields
        self.names = list(fields)
        self.place = {name: at for at, name in enumerate(self.names)}
        self.defaults = [default_value(field) for field in fields.values()]
        self.fractional = [self.place[name] for name, field in fields.items() if field.type in FRACTIONAL]
        self.lower = {name.lower(): field for name, field in fields.items() if field.visible}
        flags = ("IsDeleted", "IsArchived") if self.schema.name in ARCHIVING else ("IsDeleted",)
        self._deleted_flags = [name for name in flags if name in self.place]
        self._flags = [place for place, blank in enumerate(self.defaults) if blank == FALSE]

    def copy(self) -> "Table":
        """Return a table with the same rows; cheap, since rows are immutable."""
        twin = Table(self.schema)
        twin.rows, twin.hidden_keys = self.rows.copy(), self.hidden_keys.copy()
        twin.deleted_keys, twin.bin_keys = self.deleted_keys.copy(), self.bin_keys.copy()
        twin.by_id, twin.by_stamp = self.by_id.copy(), self.by_stamp.copy()
        twin._greatest_id = self._greatest_id
        return twin

    # -- reading ------------------------------------------------------------------------------------------------

    def parts(self, key: str, last: int | None = None) -> list[bytes]:
        """Return the row's values, each as JSON, in the order of `names`.

        With `last` the values after this place may be missing or joined.
        """
        if last is None:
            return split_row(self.rows[key], self.defaults)
        parts = self.rows[key].split(b"\n", last + 1)
        return parts if len(parts) > last + 1 else self.parts(key)

    def record(self, key: str) -> dict[str, Any]:
        return dict(zip(self.names, map(decode, self.parts(key)), strict=True))

    def key(self, record_id: str) -> str:
        """Return the key of the first row with an Id. Raises: KeyError."""
        key = eighteen(record_id)
        if key not in self.rows:
            raise KeyError(f"no {self.schema.name} has the Id {record_id}")
        return key

    def keys_where(self, name: str, values: Iterable[str]) -> list[str]:
        """Return the keys of rows with one of these texts in a field.

        Reads the whole table.
        """
        place, wanted = self.place[name], {b'"%b"' % value.encode() for value in values}
        candidates = (key for key in self.by_id.between() if any(text in self.rows[key] for text in wanted))
        return [key for key in candidates if self.parts(key)[place] in wanted]

    def free_ids(self) -> Iterator[str]:
        """Yield Ids for new rows, greater than all that the table ever held."""
        for number in count(id_number(self._greatest_id) + 1 if self._greatest_id else 1):
            yield record_id_of(self.schema.key_prefix, number)

    # -- writing ------------------------------------------------------------------------------------------------

    def insert(self, records: Iterable[Mapping[str, Any]]) -> list[str]:
        """Insert rows, each with its Id, and return their keys. Raises: KeyError for unknown fields."""
        checked = list(records)
        for record in checked:
            self._check_names(record)
        fresh = [(stamp, key) for key, stamp in map(self._inserted, checked)]
        keys = [key for _, key in fresh]
        if len(fresh) < MANY:
            for pair in fresh:
                self.by_stamp.add(pair)
                self.by_id.add(pair[1])
        else:
            self.by_stamp = SortedKeys(chain(self.by_stamp.between(), fresh))
            self.by_id = SortedKeys(chain(self.by_id.between(), keys))
        return keys

    def _inserted(self, record: Mapping[str, Any]) -> tuple[str, int]:
        key, stamp = self._free_key(record["Id"]), self._time(record.get(STAMP))
        self.rows[key] = self._encoded(record)
        self._count(key)
        if any(record.get(name) for name in self._deleted_flags):
            self.deleted_keys[key] = stamp
        if record.get("IsDeleted"):
            self.bin_keys[key] = stamp
        return key, stamp

    def _encoded(self, record: Mapping[str, Any]) -> bytes:
        values = [record.get(name) for name in self.names]
        for place in self._flags:
            if values[place] is None:
                values[place] = False
        return encode_row(values, self.fractional)

    def _free_key(self, record_id: str) -> str:
        key, repeats = record_id, 0
        while key in self.rows:
            repeats += 1
            key = f"{record_id}{REPEAT}{repeats:06d}"
        return key

    def _count(self, key: str) -> None:
        if key.startswith(self.schema.key_prefix) and key.isalnum() and key.isascii():
            self._greatest_id = max(self._greatest_id, key)

    def _check_names(self, record: Mapping[str, Any]) -> None:
        if not record.keys() <= self.place.keys():
            unknown = [name for name in record if name not in self.place]
            raise KeyError(f"{self.schema.name} has no field {', '.join(unknown)}")

    @staticmethod
    def _time(stamp: str | None) -> int:
        return 0 if stamp is None else milliseconds(stamp)

    def change(self, key: str, values: Mapping[str, Any]) -> None:
        """Set fields of one row and update the indexes."""
        self._check_names(values)
        before = self._stamp(key)
        parts = self.parts(key)
        for name, value in values.items():
            parts[self.place[name]] = encode_value(value, self.schema.fields[name])
        self.rows[key] = b"\n".join(parts)
        if before != (after := self._stamp(key)):
            self.by_stamp.remove((before, key))
            self.by_stamp.add((after, key))
        self._index_deleted(key)

    def set_raw(self, key: str, name: str, json_text: str) -> None:
        """Put any JSON text into a cell. Raises: ValueError for columns with an index."""
        if "\n" in json_text or name in INDEXED:
            raise ValueError(f"the JSON text of a cell is one line, and not of {', '.join(sorted(INDEXED))}")
        parts = self.parts(key)
        parts[self.place[name]] = json_text.encode("utf-8", "surrogatepass")
        self.rows[key] = b"\n".join(parts)

    def remove(self, key: str) -> None:
        """Remove a row and its index entries."""
        self.by_stamp.remove((self._stamp(key), key))
        self.by_id.remove(key)
        del self.rows[key]
        self.deleted_keys.pop(key, None)
        self.bin_keys.pop(key, None)
        self.hidden_keys.discard(key)

    def _stamp(self, key: str) -> int:
        place = self.place.get(STAMP)
        return 0 if place is None else self._time(decode(self.parts(key)[place]))

    def _index_deleted(self, key: str) -> None:
        parts = self.parts(key)
        flags = {name for name in self._deleted_flags if parts[self.place[name]] == TRUE}
        for index, belongs in ((self.deleted_keys, bool(flags)), (self.bin_keys, "IsDeleted" in flags)):
            if belongs:
                index[key] = self._stamp(key)
            else:
                index.pop(key, None)

    # -- fields -------------------------------------------------------------------------------------------------

    def set_field(self, field: FieldSchema) -> None:
        """Add a field after the others, or replace the one with this name."""
        self.schema.fields[field.name] = field
        self._lay_out()

    def retype_field(self, field: FieldSchema, converted: Mapping[str, Any]) -> None:
        """Replace a field and every row's value in it.

        `converted` has a value for each key.
        """
        place = self.place[field.name]
        for key in self.rows:
            parts = self.parts(key)
            parts[place] = encode_value(converted[key], field)
            self.rows[key] = b"\n".join(parts)
        self.set_field(field)
