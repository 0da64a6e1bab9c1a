"""Commit a pyiceberg transaction without pyiceberg's retry."""

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table, Transaction

from sf_assets.iceberg.commit.pyiceberg_internals import drop_connections


class ConcurrentCommit(Exception):
    """A commit of another writer that came first. This exception never leaves the package."""


def finish(transaction: Transaction) -> Table:
    """Commit what was staged. Raises: ConcurrentCommit."""
    try:
        return transaction.commit_transaction()
    except CommitFailedException as error:
        raise ConcurrentCommit from error
    except BaseException:
        drop_connections(transaction)
        raise
