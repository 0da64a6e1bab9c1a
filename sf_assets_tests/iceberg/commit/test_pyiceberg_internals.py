"""The private names of pyiceberg that the package uses still exist and still mean the same."""

import re
from pathlib import Path

import pyarrow as pa
from pyiceberg.manifest import ManifestContent, ManifestWriterV2
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC
from pyiceberg.table import Transaction
from pyiceberg.table.update import UpdateTableMetadata, update_table_metadata
from pyiceberg.types import LongType, StringType

import sf_assets.iceberg
from sf_assets.iceberg.commit.pyiceberg_internals import (
    TRANSACTION_NAMES,
    CachedTransaction,
    DeleteManifestWriter,
    schema_of_arrow,
)

PACKAGE = Path(sf_assets.iceberg.__file__).parent
PRIVATE_IMPORT = re.compile(r"from pyiceberg[\w.]* import [^#\n]*\b_\w+|\btransaction\._\w+|\b_SnapshotProducer\b")


def test_no_other_module_uses_a_private_name_of_pyiceberg():
    users = {path.name for path in PACKAGE.rglob("*.py") if PRIVATE_IMPORT.search(path.read_text())}

    assert users == {"pyiceberg_internals.py"}


def test_a_transaction_has_the_private_names_in_use(account):
    account.merge(account.frame(("1", "a", 10)), state="s1")

    missing = [name for name in TRANSACTION_NAMES if not hasattr(Transaction(account.table), name)]

    assert missing == [], "pyiceberg changed: see sf_assets/iceberg/commit/pyiceberg_internals.py"
    assert UpdateTableMetadata.__abstractmethods__ == {"_commit"}


def test_a_cached_transaction_computes_what_pyiceberg_computes(account):
    account.merge(account.frame(("1", "a", 10)), state="s1")
    transaction = CachedTransaction(account.table)

    before = transaction.table_metadata
    transaction.set_properties({"colour": "blue"})

    assert transaction.table_metadata.properties["colour"] == "blue"
    assert "colour" not in before.properties
    updates = transaction._updates
    assert transaction.table_metadata.properties == update_table_metadata(account.table.metadata, updates).properties


def test_a_delete_manifest_says_that_it_holds_deletes(account, tmp_path):
    account.merge(account.frame(("1", "a", 10)), state="s1")
    schema, output = account.table.schema(), account.table.io.new_output(f"{tmp_path}/m.avro")

    writer = DeleteManifestWriter(UNPARTITIONED_PARTITION_SPEC, schema, output, 1, "deflate")

    assert writer.content() == ManifestContent.DELETES
    assert writer._meta["content"] == "deletes"
    data = ManifestWriterV2(UNPARTITIONED_PARTITION_SPEC, schema, output, 1, "deflate")
    assert set(writer._meta) == set(data._meta)


def test_an_arrow_schema_becomes_an_iceberg_schema_with_ids():
    schema = schema_of_arrow(pa.schema([("id", pa.string()), ("rows", pa.int64())]))

    assert [(field.field_id, field.name, field.field_type) for field in schema.fields] == [
        (1, "id", StringType()),
        (2, "rows", LongType()),
    ]
