"""What hangs on the tables: the dbt project's generated files, and the tables as DuckDB sees them."""
