"""Snowflake as a reader of the tables: its statements, its sessions, and whether it shows the last commit."""
