"""Any bytes: the client ends with a value or an error of ours, in bounded time and memory."""

import json
import time
import zlib
from contextlib import suppress

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sf_assets.errors import SfAssetsError
from sf_assets.salesforce.classify import decode, refusal_of
from sf_assets.salesforce.headers import date_of, retry_after_seconds, usage_of
from sf_assets.salesforce.instance_url import parse_instance_url, read_link
from sf_assets.salesforce.login.audience import parse_audience
from sf_assets.salesforce.login.private_key import key_text, read_private_key
from sf_assets.salesforce.paging import QueryAnswer
from sf_assets.salesforce.retry import RetryPolicy
from sf_assets.salesforce.wire import Query

pytestmark = pytest.mark.slow
BRIEF = RetryPolicy(total_seconds=10.0)
QUERY = Query("Account", "SELECT Id FROM Account", all_rows=True)
MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("\ud83d")
NAMES = (
    "access_token instance_url id token_type totalSize done records nextRecordsUrl attributes Id compositeResponse"
    " httpStatusCode referenceId body r0 errorCode message fields error error_description name label type"
)
keys = st.sampled_from(tuple(NAMES.split(" "))) | st.text(max_size=5)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6))
links = st.sampled_from(
    [
        "/services/data/v60.0/query/01g-2000",
        "https://acme.my.salesforce.com/services/data/v60.0/query/01g-1",
        "//evil",
        "x",
    ]
)
rows = st.lists(st.dictionaries(keys, leaves, max_size=4), max_size=3)
pages = st.fixed_dictionaries(
    {}, optional={"totalSize": leaves, "done": leaves, "records": rows | leaves, "nextRecordsUrl": links | leaves}
)
parts = st.fixed_dictionaries(
    {"httpStatusCode": st.integers(100, 599), "referenceId": st.just("r0"), "body": values | pages}
)
composites = st.fixed_dictionaries({"compositeResponse": st.lists(parts, max_size=3) | values})
complaints = st.lists(st.fixed_dictionaries({"errorCode": leaves, "message": leaves}), max_size=2)
logins = st.fixed_dictionaries(
    {},
    optional={
        "access_token": leaves,
        "instance_url": leaves,
        "id": leaves,
        "error": leaves,
        "error_description": leaves,
    },
)
shapes = values | pages | composites | complaints | logins


def as_bytes(value):
    return json.dumps(value).encode("utf-8", "surrogatepass")


@st.composite
def bodies(draw):
    """Bytes of an answer: random ones, JSON of a likely shape, and such JSON cut or with other bytes in it."""
    body = draw(st.binary(max_size=200) | shapes.map(as_bytes))
    cut = draw(st.integers(0, len(body)))
    noise = draw(st.sampled_from([b"", b"", b"\xff", b"\x00", b"\\ud83d", b"[" * 2000, b"1e999"]))
    return body[:cut] + noise + (body[cut:] if draw(st.booleans()) else b"")


names = st.sampled_from(
    ["content-encoding", "retry-after", "date", "sforce-limit-info", "location", "content-type", "transfer-encoding"]
)
header_values = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60) | st.sampled_from(
    ["gzip", "deflate", "br", "9" * 500, "Fri, 31 Dec 9999 23:59:59 -1200", "api-usage=1/2", "api-usage=999999999/1"]
)
headers = st.dictionaries(names, header_values, max_size=3).map(
    lambda headers: [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
)
statuses = st.sampled_from(
    [200, 200, 200, 201, 204, 301, 302, 304, 400, 401, 403, 404, 405, 410, 414, 420, 429, 494, 500, 503]
)


class Raw(httpx.SyncByteStream):
    """A body that httpx does not look at."""

    def __init__(self, body):
        self.body = body

    def __iter__(self):
        yield self.body


def answer(status, body, header_list, is_gzipped):
    return httpx.Response(
        status, headers=header_list, stream=Raw(zlib.compress(body, wbits=31) if is_gzipped else body)
    )


def ends_well(action):
    began, error = time.process_time(), None
    try:
        action()
    except SfAssetsError as raised:
        error = raised
    assert time.process_time() - began < 2.0
    assert error is None or error.remedy
    assert error is None or (str(error).isprintable() and len(str(error)) < 15_000)


@MANY
@given(status=statuses, body=bodies(), header_list=headers, is_gzipped=st.booleans())
def test_any_login_answer_ends_well(org, status, body, header_list, is_gzipped):
    org.logins = [lambda _: answer(status, body, header_list, is_gzipped)] * 1000
    org.always(404)

    ends_well(lambda: org.client(retry=BRIEF).org_id())


@MANY
@given(status=statuses, body=bodies(), header_list=headers, is_gzipped=st.booleans())
def test_any_query_answer_ends_well(org, status, body, header_list, is_gzipped):
    org.logins, org.script = [], []
    org.last = lambda _: answer(status, body, header_list, is_gzipped)

    ends_well(lambda: list(org.client(retry=BRIEF).read(QUERY)))


@MANY
@given(status=statuses, body=bodies(), header_list=headers, is_gzipped=st.booleans())
def test_any_composite_answer_ends_well(org, status, body, header_list, is_gzipped):
    org.logins, org.script = [], []
    org.last = lambda _: answer(status, body, header_list, is_gzipped)

    ends_well(lambda: org.client(retry=BRIEF).describe(["Account"]))
    ends_well(lambda: org.client(retry=BRIEF).ask([QUERY]))


@MANY
@given(value=st.text(max_size=100), other=header_values)
def test_any_header_is_read_or_ignored(org, clock, value, other):
    headers = {"sforce-limit-info": value, "retry-after": other, "date": value}

    seconds = retry_after_seconds(headers, now=clock.now())

    assert seconds is None or seconds >= 0
    assert usage_of(headers) is None or usage_of(headers).limit > 0
    assert date_of(headers) is None or date_of(headers).tzinfo


@MANY
@given(body=bodies())
def test_any_bytes_decode_or_raise_value_error(body):
    for shape in (QueryAnswer, dict, list):
        with suppress(ValueError):
            assert decode(body, shape)[1] >= 0
    assert refusal_of(400, body).error


@FEW
@given(text=st.text(max_size=80) | st.sampled_from(["http://[", "https://a:b", "//", "acme.my.salesforce.com:99999"]))
def test_any_address_is_read_or_refused(text):
    ends_well(lambda: parse_instance_url(text))
    ends_well(lambda: parse_audience(text))
    ends_well(lambda: read_link(text, address=parse_instance_url("acme.my.salesforce.com")))


@FEW
@given(
    raw=st.binary(max_size=400) | st.text(max_size=200).map(lambda text: f"-----BEGIN PRIVATE KEY-----{text}".encode())
)
def test_any_key_file_is_read_or_refused(raw):
    ends_well(lambda: read_private_key(key_text(raw)))
