"""A pyiceberg transaction that works its metadata out once a change, not once a question: half of a commit's time."""

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.update import TableUpdate, update_table_metadata


class ConcurrentCommit(Exception):
    """Another writer committed first; what was planned here holds no longer. Never leaves this package."""


class CachedTransaction(Transaction):
    """Stages changes over a table; `finish` commits them."""

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self._worked_out: tuple[tuple[TableUpdate, ...], TableMetadata] | None = None

    @property
    def table_metadata(self) -> TableMetadata:
        """The table's metadata as it will be with what is staged so far."""
        if self._worked_out is None or self._worked_out[0] is not self._updates:
            self._worked_out = (self._updates, update_table_metadata(self._table.metadata, self._updates))
        return self._worked_out[1]


def finish(transaction: Transaction) -> Table:
    """Commit what was staged, without pyiceberg's own retry. Raises: Overtaken."""
    try:
        return transaction.commit_transaction()
    except CommitFailedException as error:
        raise ConcurrentCommit from error
