"""A new endpoint drafted from an object's describe, and the comparison of a spec with a describe."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from sf_assets.errors import ConfigError, SfAssetsError
from sf_assets.specs.endpoints import ENDPOINTS
from sf_assets.specs.model import NEVER_READ, EndpointRow, EndpointSpec
from sf_assets.specs.naming import is_custom
from sf_assets.specs.soql_file import read_query
from sf_assets.specs.user_endpoints import DEFAULTS, TABLE

if TYPE_CHECKING:  # msgspec and the client's modules: not needed for `sf-assets --help`
    from sf_assets.salesforce.describe import Field, SObject

UNREADABLE_TYPES = frozenset({"address", "location", "base64", "complexvalue"})
"""Compound columns, which are read by their parts, and files."""


@dataclass(frozen=True)
class EndpointDraft:
    """A new endpoint: its row and the text of its query."""

    row: EndpointRow
    soql: str

    @property
    def file_name(self) -> str:
        """The name of the query's file."""
        return f"{self.row.endpoint}.soql"

    @property
    def toml(self) -> str:
        """The row as TOML: the values that differ from the defaults."""
        values = {"endpoint": self.row.endpoint, "sobject": self.row.sobject, "description": self.row.description}
        changed = {key: getattr(self.row, key) for key in ("how",) if getattr(self.row, key) != DEFAULTS[key]}
        return "\n".join(["[[endpoint]]", *(f'{key} = "{text}"' for key, text in {**values, **changed}.items()), ""])

    def write(self, folder: Path) -> None:
        """Write both files.

        Raises: ConfigError if the query's file exists, or the folder cannot be written.
        """
        path = folder / self.file_name
        if path.exists():
            raise ConfigError(f"{path} exists already", remedy="Choose another name: --name, or remove the file.")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(self.soql, encoding="utf-8")
            table = folder / TABLE
            before = table.read_text(encoding="utf-8") if table.exists() else ""
            table.write_text(f"{before.rstrip()}\n\n{self.toml}".lstrip(), encoding="utf-8")
        except OSError as error:
            remedy = "Name a folder that this user may write: --folder."
            raise ConfigError(f"{folder} cannot be written ({error.strerror})", remedy=remedy) from None


def draft_endpoint(sobject: "SObject", *, name: str | None = None, row_names: Sequence[str] = ()) -> EndpointDraft:
    """Return an endpoint for an object. Raises: ConfigError or SpecError if it cannot be one."""
    endpoint_of = {row.sobject: row.endpoint for row in ENDPOINTS}
    if name is None and sobject.name in endpoint_of:
        what = f"{sobject.name} is the endpoint {endpoint_of[sobject.name]} already"
        raise ConfigError(what, remedy="Change it by [override] and a .soql file of its name (docs/endpoints.md).")
    endpoint_name = name or default_name(sobject.name)
    if endpoint_name in {*row_names, *endpoint_of.values()}:
        raise ConfigError(f"there is an endpoint {endpoint_name} already", remedy="Choose another name: --name.")
    names = {field.name: field for field in sobject.fields}
    row = EndpointRow(
        endpoint=endpoint_name,
        sobject=sobject.name,
        how="tail" if _can_tail(names) else "snapshot",
        cadence=DEFAULTS["cadence"],
        group=DEFAULTS["group"],
        owner=DEFAULTS["owner"],
        description=f"{_plain(sobject.label) or sobject.name} records of the org.",
    )
    draft = EndpointDraft(row, _query(sobject))
    EndpointSpec.of(row, query=read_query(draft.soql, path=draft.file_name))
    return draft


def default_name(sobject: str) -> str:
    """Return `invoice_line` for `InvoiceLine`, `invoice` for `Invoice__c`, `pkg_invoice` for `pkg__Invoice__c`."""
    name = re.sub(r"__(c|mdt|kav)$", "", sobject, flags=re.IGNORECASE)
    seams = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"_+", "_", seams).lower()


def _plain(label: str) -> str:
    return "".join(letter for letter in label if letter.isprintable() and letter not in '"\\')[:100]


def _can_tail(fields: "Mapping[str, Field]") -> bool:
    """Return whether changed rows can be asked for, and deleted rows are visible."""
    stamp = fields.get("SystemModstamp")
    return stamp is not None and stamp.filterable and stamp.sortable and "IsDeleted" in fields


def _query(sobject: "SObject") -> str:
    standard = [field.name for field in sobject.fields if not is_custom(field.name) and _is_readable(field)]
    first = [name for name in ("Id", "IsDeleted") if name in standard]
    rest = [name for name in standard if name not in first]
    expansion = ["FIELDS(CUSTOM)"] if any(is_custom(field.name) for field in sobject.fields) else []
    columns = ",\n".join(f"  {name}" for name in (*first, *rest, *expansion))
    return f"SELECT\n{columns}\nFROM {sobject.name}\n"


def _is_readable(field: "Field") -> bool:
    return field.type not in UNREADABLE_TYPES and field.name not in NEVER_READ


def diff_table(specs: Sequence[EndpointSpec], described: "Mapping[str, SObject | SfAssetsError]") -> Table:
    """Return the printed comparison, a line for each endpoint."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("endpoint", no_wrap=True)
    table.add_column("difference")
    for spec in specs:
        answer = described[spec.sobject]
        lines = list(differences(spec, answer)) if not isinstance(answer, SfAssetsError) else [str(answer)]
        table.add_row(spec.endpoint, escape("\n".join(lines)) or "none")
    return table


def differences(spec: EndpointSpec, sobject: "SObject") -> Iterator[str]:
    """Yield what the org has and the spec lacks, and the other way round."""
    org = {field.name for field in sobject.fields if _is_readable(field)}
    standard = [field.name for field in spec.catalogue] if spec.query.standard else []
    named = {*spec.query.columns, *standard}
    if missing := sorted(name for name in named - org if not _is_feature(spec, name)):
        yield f"in the spec, not in the org or hidden: {', '.join(missing)}"
    if off := sum(_is_feature(spec, name) for name in named - org):
        yield f"in the spec, of features that are off: {off} column{'s' * (off != 1)}"
    new = {name for name in org - named if not (is_custom(name) and spec.query.custom)}
    if added := sorted(name for name in new if not spec.query.standard and not spec.is_excluded(name)):
        yield f"in the org, not in the spec: {', '.join(added)}"


def _is_feature(spec: EndpointSpec, name: str) -> bool:
    return any(field.name == name and field.feature for field in spec.catalogue)
