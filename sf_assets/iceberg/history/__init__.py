"""The history of a table: an append-only table with every version of each row, derived from snapshots."""
