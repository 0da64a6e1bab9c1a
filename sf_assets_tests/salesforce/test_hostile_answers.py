"""Answers that an honest org never sends: links, counts, redirects and refusals of a broken or hostile gateway."""

from datetime import UTC, datetime, timedelta

import pytest

from sf_assets import errors
from sf_assets.salesforce.bulk import END, JobRef, job_info, result_page, result_pages
from sf_assets.salesforce.replication import deleted_log
from sf_assets.salesforce.wire import Query

QUERY = Query("Account", "SELECT Id FROM Account", all_rows=False)
PAGE = {"totalSize": 0, "done": True, "records": []}
JOB = JobRef("750000000000001AAA", "60.0")
DIGITS = "9" * 5_000


@pytest.mark.parametrize("count", [DIGITS, "-1", "1e3", "5, 6", ""])
def test_a_count_of_a_bulk_page_that_is_no_number_is_ignored(org, count):
    org.always(200, b'"Id"\n', Sforce_NumberOfRecords=count)

    assert org.client().drive(result_page(JOB, None)).rows is None


@pytest.mark.parametrize("count", [DIGITS, "٣", -1, None])
def test_a_count_of_a_bulk_job_that_is_no_number_is_ignored(org, count):
    org.always(200, {"id": JOB.id, "state": "JobComplete", "numberRecordsProcessed": count})

    assert org.client().drive(job_info(JOB)).rows is None


def test_headers_that_a_gateway_has_doubled_are_read_once(org):
    org.always(200, b'"Id"\n', Sforce_NumberOfRecords="7, 7", Sforce_Locator="null, null")

    page = org.client().drive(result_page(JOB, None))

    assert (page.rows, page.following) == (7, END)


@pytest.mark.parametrize("link", ["http://[", "//\u2100/x?locator=a"])
def test_a_link_of_a_bulk_result_that_is_no_url_is_torn(org, link):
    org.then(200, {"resultPages": [{"resultUrl": link}], "done": True})
    org.then(200, {"resultPages": [], "nextRecordsUrl": link, "done": False})

    for _ in range(2):
        with pytest.raises(errors.AnswerTorn, match="is not a URL"):
            org.client().drive(result_pages(JOB, None))


@pytest.mark.parametrize("locator", ["..", ".", "%2e%2e", "%2e%2e%2f..", "01g%2f..%2f..", "./01g"])
def test_a_link_does_not_climb_out_of_the_queries(org, locator):
    org.always(200, {**PAGE, "done": False, "nextRecordsUrl": f"/services/data/v60.0/query/{locator}"})

    with pytest.raises(errors.AnswerTorn, match="no query locator"):
        list(org.client().read(QUERY))

    assert len(org.data_calls) == 1


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("/services/data/v61.0/query?q=SELECT", "leads to /services/data/v61.0/query of the same host"),
        ("http://acme.my.salesforce.com/", "leads to http://acme.my.salesforce.com"),
        ("https://acme.my.salesforce.com:8443/x", "leads to acme.my.salesforce.com:8443"),
        ("//elsewhere.example/x", "leads to elsewhere.example"),
        ("http://[", "leads to a malformed address"),
    ],
)
def test_a_redirect_says_where_it_leads(org, location, words):
    org.always(302, location=location)

    with pytest.raises(errors.ForeignAddress) as error_info:
        list(org.client().read(QUERY))

    assert words in str(error_info.value)
    assert "SELECT Id" not in str(error_info.value).partition(", asked for")[0]


def test_a_session_that_ended_with_a_good_status_is_renewed(org):
    org.then(200, PAGE).then(200, [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}])
    org.then(200, PAGE)
    client = org.client()

    pages = [*client.read(QUERY), *client.read(QUERY)]

    assert len(pages) == 2
    assert len(org.login_calls) == 2


def test_a_login_that_is_refused_with_a_good_status_has_its_error(org):
    org.login(200, {"error": "invalid_grant", "error_description": "user hasn't approved this consumer"})

    with pytest.raises(errors.UserNotApproved):
        org.client().org_id()


def test_a_describe_of_another_object_is_refused(org):
    contact = {"name": "Contact", "fields": [{"name": "Id", "type": "id"}]}
    org.then(404, [{"errorCode": "NOT_FOUND", "message": ""}]).then(200, contact)

    answer = org.client().describe(["Account"])["Account"]

    assert isinstance(answer, errors.AnswerTorn)
    assert "the answer is about Contact" in str(answer)
    assert "cache" in answer.remedy


def test_a_describe_with_the_prefix_of_the_orgs_namespace_is_taken(org):
    org.then(404, [{"errorCode": "NOT_FOUND", "message": ""}])
    org.then(200, {"name": "acme__Site__c", "fields": [{"name": "Id", "type": "id"}]})

    assert org.client().describe(["Site__c"])["Site__c"].name == "acme__Site__c"


def test_a_log_of_deletions_covers_no_future(org):
    until = datetime(2026, 3, 1, tzinfo=UTC)
    org.always(200, {"deletedRecords": [], "latestDateCovered": "9999-12-31T23:59:59.000+0000"})

    log = org.client().drive(deleted_log("Account", since=until - timedelta(days=1), until=until, version="60.0"))

    assert log.covered_until == until


def test_a_result_that_is_done_is_not_followed_further(org):
    org.always(200, {**PAGE, "nextRecordsUrl": "/services/data/v60.0/query/01g-2000"})

    assert len(list(org.client().read(QUERY))) == 1
    assert len(org.data_calls) == 1


XML = b"""<?xml version="1.0" encoding="UTF-8"?><Errors><Error><errorCode>UNKNOWN_EXCEPTION</errorCode><message>An
unexpected error occurred. Please include this ErrorId if you contact support: 1234-5678</message></Error></Errors>"""


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_refusal_in_xml_is_called_xml(org, status):
    org.always(status, XML, content_type="application/xml")

    with pytest.raises(errors.SalesforceError) as refused:
        list(org.client().read(QUERY))

    assert f"XML of {len(XML)} bytes" in str(refused.value)
    assert "HTML" not in str(refused.value)
