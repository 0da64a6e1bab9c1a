"""Files that a person or a tool got wrong: each ends in a spec or in one clear error, never in a foreign exception."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sf_assets.errors import ConfigError, SpecError
from sf_assets.specs.endpoints import ENDPOINTS, endpoints
from sf_assets.specs.model import EndpointSpec
from sf_assets.specs.object_limits import FILTER_NEEDED
from sf_assets.specs.soql_file import read_file, read_query
from sf_assets.specs.user_endpoints import read_user_endpoints

QUERY = "SELECT Id, IsDeleted, SystemModstamp, FIELDS(CUSTOM) FROM Invoice__c"
ROW = '[[endpoint]]\nendpoint = "invoice"\nsobject = "Invoice__c"\n'
WORDS = st.sampled_from(
    ["SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "IN", "LIKE", "null", "Id", "Name", "Account", "FIELDS", "CUSTOM"]
    + [",", "(", ")", "=", "!=", "<", "'", "'x'", "\\", ";", "5", "-1.5", "2026-01-01", "2026-01-01T00:00:00Z", "\n"]
    + ["LAST_N_DAYS:30", ":", "--", "/*", "\ufeff", "\x00", "\x1b[31m", "é", "." * 3, "a.b", "x" * 300]
)
SOQL = st.one_of(st.text(), st.lists(WORDS, max_size=40).map(" ".join))
QUICK = settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])


def is_clear(error: SpecError | ConfigError) -> bool:
    """Return whether an error is one short line of printable text with a remedy."""
    return bool(error.remedy) and str(error).isprintable() and len(str(error)) < 1_000


def error_of(call: Callable[[], object]) -> SpecError | ConfigError | None:
    """Return the error that a call raises, or None; a foreign exception is a failure."""
    try:
        call()
    except (SpecError, ConfigError) as error:
        return error
    return None


def own_endpoints(folder: Path) -> list[EndpointSpec]:
    """Read a folder's own endpoints without parsing the thirty others, to try many folders quickly."""
    user = read_user_endpoints(folder, ENDPOINTS)
    return [EndpointSpec.of(row, query=read_file(user.queries[row.endpoint])) for row in user.rows[len(ENDPOINTS) :]]


def error_of_folder(folder: Path) -> SpecError | ConfigError:
    """Return the error of a folder of specs."""
    with pytest.raises((SpecError, ConfigError)) as error_info:
        endpoints(folder)
    assert is_clear(error_info.value)
    return error_info.value


@pytest.mark.slow
@given(text=SOQL)
@example(text=f"{QUERY} WHERE NOT")
@example(text=f"{QUERY} WHERE {'(' * 5_000}")
@example(text=f"{QUERY} WHERE {'NOT ' * 5_000}")
@example(text=f"{QUERY} WHERE {'f(' * 5_000}")
@QUICK
def test_any_text_is_a_query_or_one_clear_error(text: str) -> None:
    error = error_of(lambda: read_query(text, path="a.soql"))

    assert error is None or is_clear(error)


@given(columns=st.lists(st.sampled_from(["Id", "Name", "Amount__c"]), unique=True, min_size=1), condition=SOQL)
@QUICK
def test_a_condition_that_is_accepted_cannot_leave_its_parentheses(columns: list[str], condition: str) -> None:
    try:
        query = read_query(f"SELECT {', '.join(columns)} FROM Account WHERE {condition}", path="a.soql")
    except SpecError:
        return
    again = read_query(f"SELECT Id FROM Account WHERE ({query.where}) AND Id > 'x'", path="a.soql")
    assert again.where == f"({query.where}) AND Id > 'x'"


@given(content=st.binary(max_size=200))
@example(content=b"x = " + b"[" * 5_000)
@example(content=b"x = " + b"9" * 5_000)
@example(content=b'"\\u001b[31m" = 1')
@example(content=b"\xff")
@example(content=b"[override." + b"a." * 3_000 + b"b]\n")
@QUICK
def test_any_endpoints_toml_is_read_or_one_clear_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "endpoints.toml").write_bytes(content)

    error = error_of(lambda: own_endpoints(tmp_path))

    assert error is None or is_clear(error)


VALUES = st.recursive(
    st.one_of(st.text(max_size=300), st.integers(), st.booleans()),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=6,
)
KEYS = [
    "endpoint",
    "sobject",
    "how",
    "cadence",
    "group",
    "owner",
    "keys",
    "excluded",
    "hashed",
    "deleted",
    "description",
]


def toml(value: object) -> str:
    """Return a value as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, int):
        return str(value)
    text = "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08X}" for c in str(value))
    return f'"{text}"'


@pytest.mark.slow
@given(row=st.dictionaries(st.sampled_from(KEYS), VALUES))
@QUICK
def test_any_row_is_an_endpoint_or_one_clear_error(tmp_path: Path, row: dict[str, object]) -> None:
    lines = [f"{key} = {toml(value)}" for key, value in {"endpoint": "invoice", "sobject": "Invoice__c", **row}.items()]
    (tmp_path / "endpoints.toml").write_text("[[endpoint]]\n" + "\n".join(lines))
    (tmp_path / "invoice.soql").write_text(QUERY)

    error = error_of(lambda: own_endpoints(tmp_path))

    assert error is None or is_clear(error)


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (ROW.replace("invoice", "i" * 300), "endpoint has 300 characters"),
        (ROW.replace("Invoice__c", f"{'I' * 300}__c"), "sobject has 303 characters"),
        (ROW + 'keys = ["id", "id"]', "keys names 'id' twice"),
        (ROW + 'keys = [["id"]]', "keys is not a list of texts"),
        (ROW + "[endpoint.more]\nkeys = 1", "unknown key more"),
        (ROW + 'description = "a\\u001b[31mb"', "control characters"),
        (ROW + 'hashed = ["\\u0007"]', r"hashes '\x07', which is not an API name"),
    ],
)
def test_a_row_with_a_strange_value_is_refused_by_name(tmp_path: Path, row: str, what: str) -> None:
    (tmp_path / "endpoints.toml").write_text(row)
    (tmp_path / "invoice.soql").write_text(QUERY)

    assert what in str(error_of_folder(tmp_path))


@pytest.mark.parametrize("name", ["endpoints.toml", "account.soql"])
def test_a_folder_named_like_a_file_is_refused_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()

    assert f"{tmp_path / name}: the file cannot be read (Is a directory)" in str(error_of_folder(tmp_path))


def test_a_file_or_a_long_name_is_not_a_folder_of_specs(tmp_path: Path) -> None:
    (tmp_path / "specs").write_text("")

    assert "specs is not a folder" in str(error_of_folder(tmp_path / "specs"))
    assert "is not a folder" in str(error_of_folder(tmp_path / ("x" * 300)))


def test_a_byte_order_mark_before_the_toml_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "endpoints.toml").write_bytes(b"\xef\xbb\xbf" + ROW.encode())
    (tmp_path / "invoice.soql").write_text(QUERY)

    assert endpoints(tmp_path)[-1].endpoint == "invoice"


@pytest.mark.parametrize(
    ("condition", "what"),
    [
        ("NOT", "a condition is expected here, not the end of the file"),
        ("NOT NOT", "a condition is expected here, not the end of the file"),
        ("AND A = 1", "a condition is expected here, not AND"),
        ("A = 1 AND", "a condition is expected here, not the end of the file"),
        ("A = 1 OR OR B = 2", "a condition is expected here, not OR"),
        ("A = 1 AND B = 2 OR C = 3", "OR and AND are mixed without parentheses"),
        ("()", "a ')' without a '('"),
        ("A", "an operator is expected after A, not the end of the file"),
        ("A 5", "an operator is expected after A, not 5"),
        ("A =", "a value is expected here, not the end of the file"),
        ("A = AND B = 1", "a value is expected here, not AND"),
        ("A = 2026-1-1", "a value is expected here, not 2026-1-1"),
        ("A IN 'x'", "a list is expected here, not 'x'"),
        ("A IN ('x'", "a '(' of the WHERE is never closed"),
        ("A IN ('x',)", "a value is expected here, not )"),
        ("'x' = A", "a condition is expected here, not 'x'"),
    ],
)
def test_a_condition_without_all_its_parts_is_refused(condition: str, what: str) -> None:
    with pytest.raises(SpecError) as error_info:
        read_query(f"SELECT Id\nFROM Account\nWHERE {condition}", path="a.soql")

    assert what in str(error_info.value)
    assert str(error_info.value).startswith("a.soql:3: ")


@pytest.mark.parametrize("name", ["A1, A_1, a1", "Foo1, Foo_1"])
def test_two_columns_with_one_name_in_the_table_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "endpoints.toml").write_text('[[endpoint]]\nendpoint = "thing"\nsobject = "Thing"\n')
    (tmp_path / "thing.soql").write_text(
        f"SELECT Id, SystemModstamp, {name.split(',', 1)[0]}, {name.split(', ')[1]} FROM Thing"
    )

    assert "in the table" in str(error_of_folder(tmp_path))


def test_a_query_longer_than_the_org_accepts_is_refused() -> None:
    columns = ", ".join(f"Column_{number}__c" for number in range(9_000))

    with pytest.raises(SpecError, match="Salesforce accepts 100,000"):
        read_query(f"SELECT {columns} FROM Account", path="a.soql")


def folder_of(folder: Path, sobject: str, where: str = "") -> Path:
    """Write a folder with one endpoint over an object."""
    (folder / "endpoints.toml").write_text(f'[[endpoint]]\nendpoint = "own"\nsobject = "{sobject}"\n')
    (folder / "own.soql").write_text(f"SELECT Id, IsDeleted, SystemModstamp FROM {sobject}{where}")
    return folder


@pytest.mark.parametrize(
    ("sobject", "kind"),
    [
        ("Readings__b", "a big object"),
        ("Remote_Order__x", "an external object"),
        ("Order_Placed__e", "a platform event"),
        ("AccountChangeEvent", "a change event"),
        ("Invoice__ChangeEvent", "a change event"),
    ],
)
def test_an_object_that_cannot_be_copied_is_refused_at_load(tmp_path: Path, sobject: str, kind: str) -> None:
    assert f"{sobject} is {kind}" in str(error_of_folder(folder_of(tmp_path, sobject)))


@pytest.mark.parametrize("sobject", sorted(FILTER_NEEDED))
def test_an_object_that_needs_a_filter_is_refused_without_one(tmp_path: Path, sobject: str) -> None:
    error = error_of_folder(folder_of(tmp_path, sobject))

    assert f"the org refuses a query of {sobject} without a filter" in str(error)
    assert "WHERE" in error.remedy


def test_an_object_that_needs_a_filter_is_read_with_one(tmp_path: Path) -> None:
    spec = endpoints(folder_of(tmp_path, "Vote", " WHERE Parent.Type = 'Idea__c'"))[-1]

    assert spec.sobject == "Vote"


def test_a_filter_inside_a_text_does_not_count(tmp_path: Path) -> None:
    assert "without a filter" in str(error_of_folder(folder_of(tmp_path, "Vote", " WHERE Name = 'ParentId'")))
