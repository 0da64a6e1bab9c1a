"""Answers beyond every bound: they end with an error of ours, in little time and memory."""

import json
import tracemalloc
import zlib
from collections.abc import Iterator

import httpx
import pytest

from sf_assets import errors
from sf_assets.salesforce.headers import LONGEST_HEADER, date_of, retry_after_seconds, usage_of
from sf_assets.salesforce.limits import LONGEST_TEXT, MOST_BYTES, MOST_ERROR_BYTES
from sf_assets.salesforce.wire import Query

QUERY = Query("Account", "SELECT Id FROM Account", all_rows=False)
MEBIBYTE = 2**20
PAGE = {"totalSize": 0, "done": True, "records": []}


class Body(httpx.SyncByteStream):
    """A body in pieces, and how many of them were taken."""

    def __init__(self, piece: bytes, times: int) -> None:
        self.piece, self.times, self.taken = piece, times, 0

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(self.times):
            self.taken += 1
            yield self.piece


def answer_with(org, body, status=200, **headers):
    header_names = {name.replace("_", "-"): value for name, value in headers.items()}
    org.last = lambda _: httpx.Response(status, stream=body, headers=header_names)


def peak_of(action):
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def gzip_bomb(mebibytes):
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join(packer.compress(b" " * MEBIBYTE) for _ in range(mebibytes)) + packer.flush()


@pytest.mark.slow
def test_a_gzip_bomb_ends_at_the_bound_of_a_page(org):
    answer_with(org, Body(gzip_bomb(128), 1), content_encoding="gzip")

    def read():
        with pytest.raises(errors.AnswerTooLarge, match="67,108,864 bytes"):
            list(org.client().read(QUERY))

    assert peak_of(read) < 3 * MOST_BYTES["page"]
    assert len(org.data_calls) == 1


def test_an_endless_body_ends_at_the_bound_of_a_page(org):
    body = Body(b" " * MEBIBYTE, 10**9)
    answer_with(org, body)

    with pytest.raises(errors.AnswerTooLarge):
        list(org.client().read(QUERY))

    assert body.taken <= MOST_BYTES["page"] // MEBIBYTE + 1


def test_an_endless_login_answer_ends_at_a_quarter_of_a_mebibyte(org):
    body = Body(b" " * 65536, 10**9)
    org.logins.append(httpx.Response(200, stream=body))

    with pytest.raises(errors.AnswerTooLarge):
        org.client().org_id()

    assert body.taken <= 5


def test_of_an_endless_refusal_only_the_beginning_is_read(org):
    body = Body(b"x" * 65536, 10**9)
    answer_with(org, body, status=404)

    with pytest.raises(errors.ResourceNotFound):
        list(org.client().read(QUERY))

    assert body.taken <= MOST_ERROR_BYTES // 65536 + 1


def test_a_large_honest_page_is_read(org):
    rows = [{"Id": f"001{number:015}", "Text__c": "x" * 20_000} for number in range(2000)]
    org.then(200, json.dumps({"totalSize": 2000, "done": True, "records": rows}).encode())

    (page,) = org.client().read(QUERY)

    assert len(page.records) > 40_000_000


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "x" * 5000])
def test_an_encoding_that_was_not_asked_for_is_named_and_cut(org, encoding):
    answer_with(org, Body(b"{}", 1), content_encoding=encoding)

    with pytest.raises(errors.AnswerTorn, match="Content-Encoding") as error_info:
        list(org.client().read(QUERY))

    assert len(str(error_info.value)) < 1000


def test_gzip_members_one_after_the_other_are_one_body(org):
    text = json.dumps(PAGE).encode()
    halves = [zlib.compress(half, wbits=31) for half in (text[:9], text[9:])]
    answer_with(org, Body(b"".join(halves) + bytes(100), 1), content_encoding="gzip")

    assert len(list(org.client().read(QUERY))) == 1


@pytest.mark.parametrize("open_close", [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("where", ["records", "body", "unread"])
def test_deep_nesting_is_an_answer_that_cannot_be_read(org, open_close, where):
    deep = open_close[0] * 200_000 + "1" + open_close[1] * 200_000
    text = {
        "records": f'{{"totalSize": 1, "done": true, "records": [{deep}]}}',
        "body": deep,
        "unread": f'{{"totalSize": 0, "done": true, "records": [], "x": {deep}}}',
    }[where]
    org.always(200, text.encode())

    with pytest.raises(errors.AnswerTorn):
        list(org.client().read(QUERY))


@pytest.mark.parametrize("number", ["9" * 5000, "1e400", "-" + "9" * 100_000, "0." + "1" * 100_000])
def test_numbers_of_any_length_end_with_a_page_or_an_error_of_ours(org, number):
    org.always(200, f'{{"totalSize": {number}, "done": true, "records": []}}'.encode())

    with pytest.raises(errors.AnswerTorn):
        list(org.client().read(QUERY))


@pytest.mark.parametrize("field", ["message", "errorCode"])
@pytest.mark.parametrize("text", [" " * 900_000, "\nSELECT\n^\nERROR at Row:1:Column:2\n" * 20_000, "^ " * 400_000])
def test_a_long_text_of_the_org_is_cut_at_once(org, clock, field, text):
    org.then(400, [{"errorCode": "INVALID_FIELD", "message": "m", field: text}])

    with pytest.raises(errors.QueryRefused) as error_info:
        list(org.client().read(QUERY))

    assert len(str(error_info.value)) < 3 * LONGEST_TEXT


@pytest.mark.parametrize(
    "text", ["api-usage=" * 10_000, "api-usage=1/" + "9" * 90_000, "9" * 90_000 + "/", ";" * 90_000]
)
def test_long_headers_are_read_to_a_bound(text):
    headers = {"sforce-limit-info": text, "retry-after": text, "date": text}

    assert (usage_of(headers), retry_after_seconds(headers, now=None), date_of(headers)) == (None, None, None) or (
        len(text) > LONGEST_HEADER
    )


def test_a_composite_of_many_answers_is_bounded(org):
    entries = [{"httpStatusCode": 200, "referenceId": f"r{n}", "body": {}} for n in range(50_000)]
    org.always(200, {"compositeResponse": entries})

    with pytest.raises(errors.SalesforceError):
        list(org.client().read(Query("Profile", f"SELECT {'x' * 20_000} FROM Profile", all_rows=False)))


def test_an_aggregate_answer_of_many_rows_is_no_aggregate(org):
    org.always(200, {"totalSize": 9, "done": True, "records": [{"Id": "1"}] * 9})

    (record,) = org.client().ask([QUERY])

    assert isinstance(record, errors.AnswerTorn)
