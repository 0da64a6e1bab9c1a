"""A catalog of the Iceberg REST protocol, spoken to over HTTP: what it refuses, loses and hands out."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sf_assets.errors import (
    CommitConflict,
    CommitUnknown,
    IcebergError,
    IcebergReadOnly,
    IcebergUnreachable,
)
from sf_assets.iceberg.model import UNCHECKED, Chunk
from sf_assets.iceberg.tables import IcebergTables

OWN = {"access-key-id": "the-servers", "secret-access-key": "secret"}
LENT = {"access-key-id": "a-loan", "secret-access-key": "secret", "session-token": "for an hour"}


@dataclass
class Account:
    """The table `account` of one client; row `n` comes with the state `s<n>`."""

    properties: dict
    columns: tuple
    chunk: object
    base: object = None
    warehouse: IcebergTables = field(init=False)

    def __post_init__(self):
        self.warehouse = IcebergTables("salesforce", "salesforce", self.properties)

    def merge(self, *numbers):
        return self.stream(self.chunk(number) for number in numbers)

    def stream(self, chunks):
        result = self.warehouse.merge(
            "account", columns=self.columns, keys=("id",), stamp="system_modstamp", chunks=chunks, base=self.base
        )
        self.base = self.base if self.base is UNCHECKED else self.state
        return result

    def settle(self, state):
        self.warehouse.commit_state("account", columns=self.columns, base=self.base, state=state)

    @property
    def state(self):
        return self.warehouse.facts("account").state

    @property
    def rows(self):
        return sorted(int(row_id) for row_id in self.warehouse.scan("account").collect()["id"])

    @property
    def files(self):
        folder = Path(self.warehouse.facts("account").uri.removeprefix("file://"))
        return {path for path in folder.rglob("*") if path.suffix in {".parquet", ".avro"}}


@pytest.fixture
def account(rest_catalog, account_columns, account_chunk):
    """The table with one row."""
    account = Account(rest_catalog.catalog, account_columns, account_chunk)
    account.merge(1)
    return account


@pytest.fixture
def another(rest_catalog, account_columns, account_chunk):
    """Opens the table as another process would."""
    return lambda **more: Account({**rest_catalog.catalog, **more}, account_columns, account_chunk, UNCHECKED)


def test_a_table_lives_in_a_rest_catalog_as_it_does_in_sqlite(account, another):
    account.merge(2, 3)

    facts = account.warehouse.facts("account")
    assert account.rows == another().rows == [1, 2, 3]
    assert (facts.rows, facts.state) == (3, "s3")
    assert facts.metadata_location.endswith(".metadata.json")
    assert another().merge(2, 3).commits == 0
    assert another().warehouse.count_since("account", "system_modstamp", None)[0] == 3
    assert another().warehouse.remove_orphan_files("account") == ()
    assert another().warehouse.check_connectivity().is_there


def test_of_two_writers_one_is_refused_and_no_row_is_lost_or_doubled(account, another, account_chunk):
    def chunks():
        yield Chunk(account_chunk(2).frame, None)
        another().merge(2, 3)
        yield account_chunk(4)

    with pytest.raises(CommitConflict, match="another run"):
        account.stream(chunks())

    assert account.rows == [1, 2, 3]
    assert account.state == "s3"
    account.base = "s3"
    account.merge(2, 4)
    assert account.rows == [1, 2, 3, 4]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_commit_that_landed_counts_whatever_was_answered(account, rest_catalog, status):
    rest_catalog.lost_answers.append((status, True))

    result = account.merge(2)

    assert (result.commits, result.inserted) == (1, 1)
    assert account.rows == [1, 2]
    assert account.merge(2).commits == 0


def test_a_commit_that_was_sent_twice_and_refused_once_counts(account, rest_catalog):
    rest_catalog.lost_answers.append((409, True))

    result = account.merge(2)

    assert (result.commits, result.inserted) == (1, 1)
    assert account.rows == [1, 2]


@pytest.mark.parametrize("status", [500, 502, 504])
def test_an_unknown_commit_is_named_and_repaired_by_the_next_run(account, rest_catalog, status):
    rest_catalog.lost_answers.append((status, False))

    with pytest.raises(CommitUnknown, match="lost") as refusal:
        account.merge(2)

    assert refusal.value.retryable
    assert "Run the endpoint again" in refusal.value.remedy
    assert account.rows == [1]
    account.merge(2)
    assert account.rows == [1, 2]


def test_a_commit_that_arrives_late_is_neither_lost_nor_doubled(account, rest_catalog, another):
    rest_catalog.late = True
    with pytest.raises(CommitUnknown):
        account.merge(2)

    rest_catalog.deliver()

    assert account.rows == [1, 2]
    assert another().merge(2).commits == 0


@pytest.mark.parametrize("landed", [True, False])
def test_a_state_without_rows_survives_a_lost_answer(account, rest_catalog, landed):
    rest_catalog.lost_answers.append((504, landed))

    with pytest.raises(CommitUnknown):
        account.settle("s9")
    account.base = account.state
    account.settle("s9")

    assert account.state == "s9"


def test_a_token_that_expired_is_renewed_and_the_commit_is_made_once(account, rest_catalog):
    rest_catalog.expire_tokens()

    result = account.merge(2)

    assert result.commits == 1
    assert account.rows == [1, 2]


def test_a_token_that_expires_before_the_commit_is_renewed_too(account, rest_catalog, account_chunk):
    def chunks():
        yield Chunk(account_chunk(2).frame, None)
        rest_catalog.expire_tokens()
        yield account_chunk(3)

    assert account.stream(chunks()).commits == 1
    assert account.rows == [1, 2, 3]


def test_a_wrong_credential_is_named_without_being_shown(another):
    with pytest.raises(IcebergError, match="invalid_client") as refusal:
        another(credential="loader:wrong-secret").warehouse.facts("account")

    assert not refusal.value.retryable
    assert "PYICEBERG_CATALOG" in refusal.value.remedy
    assert "wrong-secret" not in f"{refusal.value} {refusal.value.values}"


def test_a_right_to_commit_that_is_missing_is_named_and_leaves_no_file(account, rest_catalog):
    files = account.files
    rest_catalog.forbidden.add("POST table")

    with pytest.raises(IcebergReadOnly, match="not authorized to POST table") as refusal:
        account.merge(2)

    assert not refusal.value.retryable
    assert account.files == files
    assert account.rows == [1]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((429, b'{"error": {"message": "slower", "type": "TooManyRequests", "code": 429}}'), IcebergUnreachable),
        ((502, b"<html>Bad Gateway</html>"), IcebergUnreachable),
        ((400, b'{"error": {"message": "no", "type": "BadRequestException", "code": 400}}'), IcebergError),
        ((200, b"<html>Sign in</html>"), IcebergError),
    ],
)
def test_what_a_proxy_answers_is_the_warehouses_trouble(another, rest_catalog, account, answer, expected):
    client = another()
    client.warehouse.facts("account")
    rest_catalog.answering = answer

    with pytest.raises(expected):
        client.warehouse.facts("account")


@pytest.fixture
def vending(rest_catalog, aws):
    """The catalog with its files on S3; a client is told the keys to them with each table."""
    files = {name.removeprefix("s3."): value for name, value in aws.catalog.items() if name.startswith("s3.")}
    own, lent = ({f"s3.{name}": value for name, value in {**files, **keys}.items()} for keys in (OWN, LENT))
    rest_catalog.root, rest_catalog.io, rest_catalog.vended = "s3://lake/rest", own, lent
    return rest_catalog


def test_files_are_reached_with_the_keys_that_the_catalog_lends(vending, aws, another):
    client = another()
    client.merge(1, 2)
    written_with = set(aws.keys)
    aws.forget()

    assert client.rows == [1, 2]

    assert written_with == {"the-servers", "a-loan"}
    assert aws.keys == {"the-servers", "a-loan"}


def test_keys_that_were_lent_anew_are_those_of_the_next_commit(vending, aws, another):
    client = another()
    client.merge(1)
    vending.vended = {**vending.vended, "s3.access-key-id": "another-loan"}
    aws.forget()

    client.merge(2)

    assert aws.keys == {"the-servers", "another-loan"}


def test_in_a_long_sync_each_commit_uses_the_keys_that_are_lent_then(vending, aws, another, account_chunk):
    def chunks():
        yield account_chunk(1)
        vending.vended = {**vending.vended, "s3.access-key-id": "another-loan"}
        aws.forget()
        yield account_chunk(2)

    assert another().stream(chunks()).commits == 2

    assert aws.keys == {"the-servers", "another-loan"}
