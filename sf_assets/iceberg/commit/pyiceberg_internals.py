"""Every private name of pyiceberg that this package uses.

`sf_assets_tests/iceberg/commit/test_pyiceberg_internals.py` fails if a new version of pyiceberg changes one of them.
"""

# ruff: noqa: SLF001 - the purpose of this module

import pyarrow as pa
from pyiceberg.io.pyarrow import _pyarrow_to_schema_without_ids
from pyiceberg.manifest import ManifestContent, ManifestWriterV2
from pyiceberg.schema import Schema, assign_fresh_schema_ids
from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.update import TableRequirement, TableUpdate, update_table_metadata

TRANSACTION_NAMES = ("_table", "_updates", "_requirements", "_stage", "_apply")
"""Names of `pyiceberg.table.Transaction` that are used here or by the base class of RowDelta."""


class CachedTransaction(Transaction):
    """A transaction that computes its metadata once a change. pyiceberg computes it at every access."""

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self._computed: tuple[tuple[TableUpdate, ...], TableMetadata] | None = None

    @property
    def table_metadata(self) -> TableMetadata:
        """The table's metadata with all staged changes."""
        return self._compute_metadata()

    def _compute_metadata(self) -> TableMetadata:
        if self._computed is None or self._computed[0] is not self._updates:
            self._computed = (self._updates, update_table_metadata(self._table.metadata, self._updates))
        return self._computed[1]


class DeleteManifestWriter(ManifestWriterV2):
    """A writer of manifests of delete files. pyiceberg has none."""

    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}


def stage_requirement(transaction: Transaction, requirement: TableRequirement) -> None:
    """Add a requirement to the transaction."""
    transaction._stage((), (requirement,))


def drop_connections(transaction: Transaction) -> None:
    """Close the connections of a SQL catalog after a failed commit.

    SQLAlchemy 2.1 returns a connection to its pool with the transaction still open if COMMIT fails ("database is
    locked"). The next read on it would show the commit, although it is never made.
    """
    engine = getattr(transaction._table.catalog, "engine", None)
    if engine is not None:
        engine.dispose()


def schema_of_arrow(schema: pa.Schema) -> Schema:
    """Return the Iceberg schema of an Arrow schema, with new field ids."""
    return assign_fresh_schema_ids(_pyarrow_to_schema_without_ids(schema))
