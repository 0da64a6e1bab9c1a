"""Commit a pyiceberg transaction without pyiceberg's retry."""

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table, Transaction


class ConcurrentCommit(Exception):
    """A commit of another writer that came first. This exception never leaves the package."""


def finish(transaction: Transaction) -> Table:
    """Commit what was staged. Raises: ConcurrentCommit."""
    try:
        return transaction.commit_transaction()
    except CommitFailedException as error:
        raise ConcurrentCommit from error
