"""A pyiceberg transaction that computes its metadata once a change. pyiceberg computes it at every access."""

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.update import TableUpdate, update_table_metadata


class ConcurrentCommit(Exception):
    """A commit of another writer that came first. This exception never leaves the package."""


class CachedTransaction(Transaction):
    """A transaction over a table; `finish` commits it."""

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


def finish(transaction: Transaction) -> Table:
    """Commit what was staged, without pyiceberg's retry. Raises: ConcurrentCommit."""
    try:
        return transaction.commit_transaction()
    except CommitFailedException as error:
        raise ConcurrentCommit from error
