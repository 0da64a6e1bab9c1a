"""Iceberg tables by pyiceberg, Arrow and Polars: merge, replace, schema evolution, maintenance."""
