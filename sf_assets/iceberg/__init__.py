"""Iceberg tables by pyiceberg, Arrow and Polars: merge, replace, evolve, upkeep. Knows no Salesforce and no Dagster."""
