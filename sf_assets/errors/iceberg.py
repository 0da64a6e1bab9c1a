"""Errors of the Iceberg catalog and of the tables."""

from sf_assets.errors.general import SfAssetsError


class IcebergError(SfAssetsError):
    """The Iceberg side: catalog, files, tables."""

    remedy = "Check the catalog's settings (PYICEBERG_CATALOG__*) with pyiceberg's own command line."


class IcebergUnreachable(IcebergError):
    """The catalog or its storage did not answer."""

    remedy = "Check the catalog's uri, credentials and network (PYICEBERG_CATALOG__SALESFORCE__*)."
    retryable = True


class CommitUnknown(IcebergUnreachable):
    """The catalog never confirmed the commit, and the table does not contain it."""

    remedy = (
        "Run the endpoint again: it goes on from the table's own state, whether or not the commit still arrives. If it"
        " recurs, look at the catalog's log and at the time-outs of the gateway before it."
    )


class IcebergReadOnly(IcebergError):
    """The catalog or its storage may not be written."""

    remedy = "Give this process read and write access to the catalog and to the warehouse's folder or bucket."


class TableForeign(IcebergError):
    """The table belongs to another org, object or tool, or a newer version wrote it."""

    remedy = (
        "Point SF_ASSETS_NAMESPACE at an empty namespace; after a sandbox refresh run the endpoint once with"
        " adopt_org: true and full_refresh: true."
    )


class TableUnsupported(IcebergError):
    """Another engine gave the table a feature that sf_assets cannot read and change safely.

    These are equality deletes, deletion vectors (format version 3), files in other formats than Parquet, and
    partition specs without an unpartitioned one.
    """

    remedy = (
        "Compact the table with the engine that wrote it (Spark: rewrite_data_files with delete-file-threshold 1). If"
        " that is impossible, `sf-assets repair` sets the table aside and the next run copies the endpoint again."
    )


class TableDamaged(IcebergError):
    """A file that the table needs is missing, cut or changed, or its stored state is unreadable. Value: `path`."""

    remedy = (
        "Run `sf-assets repair` with the endpoint's name: it prints what is damaged and what it would do; with --apply"
        " it returns to the newest whole version. No file is deleted."
    )


class CatalogDamaged(IcebergError):
    """The catalog's database file cannot be read as a database."""

    remedy = (
        "Restore the catalog's file from a backup. Without one, move it away and run `sf-assets repair --apply`: it"
        " registers the tables again from their own files."
    )


class ColumnIncompatible(IcebergError):
    """A column's type in Salesforce can no longer be stored in the table's column."""

    remedy = (
        "Run the endpoint once with full_refresh: true, and the column takes its new type; "
        "or exclude it in the endpoint's row."
    )


class CommitConflict(IcebergError):
    """Another run has written this table since this one read its state; nothing of this commit was written."""

    remedy = "Run the endpoint again; let only one run at a time write a table."
    retryable = True
