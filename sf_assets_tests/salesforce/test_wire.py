"""What headers say."""

from datetime import UTC, datetime

import pytest

from sf_assets.salesforce.headers import date_of, retry_after_seconds, usage_of
from sf_assets.salesforce.wire import Usage

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

USAGES = [
    ("api-usage=18/5000", Usage(18, 5000)),
    ("api-usage=25/5000; per-app-api-usage=17/250(appName=sample-connected-app)", Usage(25, 5000)),
    ("per-app-api-usage=17/250(appName=x); api-usage=25/5000", Usage(25, 5000)),
    ("per-app-api-usage=17/250(appName=x)", None),
    ("api-usage=0/0", None),
    ("", None),
]


@pytest.mark.parametrize(("header", "usage"), USAGES)
def test_usage_is_read_from_both_forms_of_the_header(header, usage):
    assert usage_of({"sforce-limit-info": header}) == usage


AFTERS = [
    ({"retry-after": "7"}, 7.0),
    ({"retry-after": "0.5"}, 0.5),
    ({"retry-after": "Sun, 01 Mar 2026 12:00:30 GMT"}, 30.0),
    ({"retry-after": "Sun, 01 Mar 2026 11:00:00 GMT"}, 0.0),
    ({"retry-after": "Sun, 01 Mar 2026 12:00:30 GMT", "date": "Sun, 01 Mar 2026 12:00:20 GMT"}, 10.0),
    ({"retry-after": "2026-03-01T12:00:30Z"}, 30.0),
    ({"retry-after": "30 seconds"}, 30.0),
    ({"retry-after": "30s"}, 30.0),
    ({"retry-after": "30, 60"}, 30.0),
    ({"retry-after": "1772366430"}, 30.0),
    ({"retry-after": "-5"}, None),
    ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, 251_629_934_399.0),
    ({"retry-after": "Fri, 31 Dec 9999 23:59:59 -1200"}, None),
    ({"retry-after": "Mon, 01 Jan 0001 00:00:00 +1400"}, 0.0),
    ({"retry-after": "9" * 400}, None),
    ({"retry-after": "nan"}, None),
    ({"retry-after": "\u0663\u0660"}, None),
    ({"retry-after": "soon"}, None),
    ({}, None),
]


@pytest.mark.parametrize(("headers", "seconds"), AFTERS)
def test_retry_after_is_seconds_or_a_date_by_the_servers_own_clock(headers, seconds):
    assert retry_after_seconds(headers, now=NOW) == seconds


def test_the_date_of_an_answer_is_aware():
    assert date_of({"date": "Sun, 01 Mar 2026 12:00:20 GMT"}) == datetime(2026, 3, 1, 12, 0, 20, tzinfo=UTC)
    assert date_of({"date": "yesterday"}) is None
