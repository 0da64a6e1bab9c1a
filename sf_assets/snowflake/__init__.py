"""Snowflake's side of a table: its DDL as text, and whether Snowflake reads what was committed. It knows no lake."""
