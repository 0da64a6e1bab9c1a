"""Salesforce as Apache Iceberg tables: thirty Dagster assets built from SOQL specs.

Importing this package, or any module of it but `sf_assets.definitions`, has no effect.
"""
