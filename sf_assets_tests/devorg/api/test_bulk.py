"""Bulk API 2.0 query jobs: states, results as CSV, pages, limits and refusals, as the Bulk API guide describes them."""

import csv
import io

import pytest

from sf_assets.devorg import Fault

DATA = "/services/data/v60.0"
JOBS = f"{DATA}/jobs/query"


@pytest.fixture
def create(http):
    """Create a query job; the answer as httpx gives it."""

    def send(soql="SELECT Id, Name FROM Account", *, operation="query", url=JOBS, **more):
        return http.post(url, json={"operation": operation, "query": soql, **more})

    return send


@pytest.fixture
def results(http):
    """Fetch all pages of a job's results by their locators; the rows of all, and the headers of each."""

    def fetch(job_id, **parameters):
        rows, pages, locator = [], [], None
        while locator != "null":
            page = http.get(
                f"{JOBS}/{job_id}/results", params={**parameters, **({"locator": locator} if locator else {})}
            )
            assert page.status_code == 200, page.text
            locator = page.headers["sforce-locator"]
            pages.append(page)
            rows += list(csv.DictReader(io.StringIO(page.text, newline="")))
        return rows, pages

    return fetch


def code(answer):
    return answer.status_code, answer.json()[0]["errorCode"]


def test_a_job_is_created_completes_and_is_described(org, create, http):
    org.insert_many("Account", [{"Name": "a"}] * 3)

    job = create().json()
    info = http.get(f"{JOBS}/{job['id']}").json()

    assert job["id"].startswith("750")
    assert (job["operation"], job["object"], job["contentType"]) == ("query", "Account", "CSV")
    assert (job["lineEnding"], job["columnDelimiter"], job["apiVersion"]) == ("LF", "COMMA", 60.0)
    assert (info["state"], info["numberRecordsProcessed"], info["jobType"]) == ("JobComplete", 3, "V2Query")
    assert [entry["id"] for entry in http.get(JOBS).json()["records"]] == [job["id"]]


def test_a_job_waits_and_runs_as_long_as_the_settings_say(org, create, http, clock):
    org.insert("Account", {"Name": "before"})
    org.behave(bulk_queue_seconds=10, bulk_run_seconds=20)
    job = f"{JOBS}/{create().json()['id']}"
    states = []
    for seconds in (0, 10, 19, 1):
        clock.advance(seconds=seconds)
        states.append(http.get(job).json()["state"])
        if seconds == 10:
            assert code(http.get(f"{job}/results")) == (400, "INVALIDJOBSTATE")
            org.insert("Account", {"Name": "too late"})

    assert states == ["UploadComplete", "InProgress", "InProgress", "JobComplete"]
    assert http.get(f"{job}/results").headers["sforce-numberofrecords"] == "1"


def test_cells_are_quoted_and_hold_what_rest_shows(org, create, results, ask):
    org.insert(
        "Account",
        {
            "Name": 'say "hi",\n\u2028\tnull #N/A \\ ü 🎉',
            "AnnualRevenue": 12_345_678.0,
            "NumberOfEmployees": 60,
            "IsPartner": True,
            "FoundedOn": "2026-01-01",
        },
    )
    names = "Id, Name, Type, Description, AnnualRevenue, NumberOfEmployees, IsPartner, FoundedOn, CreatedDate"

    rows, pages = results(create(f"SELECT {names} FROM Account").json()["id"])
    rest = ask(f"SELECT {names} FROM Account").json()["records"][0]

    assert rows[0] == {
        "Id": rest["Id"],
        "Name": rest["Name"],
        "Type": "",
        "Description": "",
        "AnnualRevenue": "1.2345678E7",
        "NumberOfEmployees": "60",
        "IsPartner": "true",
        "FoundedOn": "2026-01-01",
        "CreatedDate": "2026-03-10T12:00:00.000Z",
    }
    assert pages[0].text.startswith('"Id","Name","Type"')
    assert pages[0].headers["content-type"] == "text/csv; charset=UTF-8"


def test_results_come_in_pages_and_a_locator_can_be_used_again(org, create, results, http):
    org.insert_many("Account", [{"Name": f"a{n}"} for n in range(7)])
    job_id = create("SELECT Name FROM Account ORDER BY Id").json()["id"]

    rows, pages = results(job_id, maxRecords=3)
    again = http.get(f"{JOBS}/{job_id}/results", params={"locator": pages[0].headers["sforce-locator"]})

    assert [row["Name"] for row in rows] == [f"a{n}" for n in range(7)]
    assert [page.headers["sforce-numberofrecords"] for page in pages] == ["3", "3", "1"]
    assert again.text == pages[1].text
    assert code(http.get(f"{JOBS}/{job_id}/results", params={"locator": "nonsense"})) == (400, "INVALIDLOCATOR")


def test_result_pages_name_five_urls_at_a_time(org, create, http):
    org.insert_many("Account", [{"Name": f"a{n}"} for n in range(13)])
    org.behave(bulk_page_rows=2)
    url, names, sizes = f"{JOBS}/{create('SELECT Name FROM Account ORDER BY Id').json()['id']}/resultPages", [], []
    while url:
        answer = http.get(url).json()
        sizes.append((len(answer["resultPages"]), answer["done"]))
        for page in reversed(answer["resultPages"]):
            names += [row["Name"] for row in csv.DictReader(io.StringIO(http.get(page["resultUrl"]).text))]
        url = answer["nextRecordsUrl"]

    assert sizes == [(5, False), (2, True)]
    assert sorted(names) == sorted(f"a{n}" for n in range(13))
    assert http.get(f"{DATA.replace('60', '57')}/jobs/query/750/resultPages").status_code == 404


def test_an_empty_result_is_a_header_alone(create, results, http):
    job_id = create().json()["id"]
    rows, pages = results(job_id)

    assert (rows, pages[0].text) == ([], '"Id","Name"\n')
    assert len(http.get(f"{JOBS}/{job_id}/resultPages").json()["resultPages"]) == 1


def test_query_all_reads_deleted_rows_too(org, create, results):
    live_id, deleted_id = org.insert_many("Account", [{"Name": "a"}] * 2)
    org.delete("Account", deleted_id)

    assert len(results(create().json()["id"])[0]) == 1
    assert len(results(create(operation="queryAll").json()["id"])[0]) == 2


def test_delimiter_line_end_and_header_are_as_chosen(org, create, http):
    org.insert("Account", {"Name": "a"})
    org.behave(bulk_header="first", bulk_page_rows=1)
    org.insert("Account", {"Name": "b"})
    job = create("SELECT Name FROM Account ORDER BY Id", columnDelimiter="PIPE", lineEnding="CRLF").json()["id"]

    first = http.get(f"{JOBS}/{job}/results")
    second = http.get(f"{JOBS}/{job}/results", params={"locator": first.headers["sforce-locator"]})

    assert (first.text, second.text) == ('"Name"\r\n"a"\r\n', '"b"\r\n')


@pytest.mark.parametrize(
    ("soql", "error"),
    [
        ("SELECT COUNT(Id) FROM Account", "API_ERROR"),
        ("SELECT Id FROM Account LIMIT 5 OFFSET 1", "API_ERROR"),
        ("SELECT Id, Address FROM Account", "API_ERROR"),
        ("SELECT Nonsense FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Nonsense", "INVALID_TYPE"),
        ("SELECT", "MALFORMED_QUERY"),
        ("SELECT Id FROM Profile", "INVALIDENTITY"),
    ],
)
def test_what_a_job_cannot_read_is_refused_when_it_is_created(org, create, soql, error):
    org.behave(bulk_unsupported=frozenset({"Profile"}))

    assert code(create(soql)) == (400, error)


def test_a_job_is_aborted_and_deleted_in_the_right_states_only(org, create, http, clock):
    org.behave(bulk_run_seconds=60)
    job = f"{JOBS}/{create().json()['id']}"

    assert code(http.delete(job)) == (400, "INVALIDJOBSTATE")
    assert http.patch(job, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert code(http.patch(job, json={"state": "Aborted"})) == (400, "INVALIDJOBSTATE")
    assert http.delete(job).status_code == 204
    assert code(http.get(job)) == (404, "NOT_FOUND")


def test_a_failed_job_says_why(org, create, http):
    org.behave(bulk_error="QUERY_TIMEOUT: Your query request was running for too long.")
    job = f"{JOBS}/{create().json()['id']}"

    assert http.get(job).json()["state"] == "Failed"
    assert http.get(job).json()["errorMessage"].startswith("QUERY_TIMEOUT")
    assert code(http.get(f"{job}/results")) == (400, "INVALIDJOBSTATE")


def test_results_expire_after_seven_days(org, create, http, clock):
    org.behave(session_seconds=10**9)
    job = f"{JOBS}/{create().json()['id']}"
    clock.advance(days=7)
    assert http.get(job).status_code == 200
    clock.advance(seconds=1)

    assert code(http.get(job)) == (404, "NOT_FOUND")


def test_jobs_are_counted_over_a_day(org, create, http):
    org.behave(bulk_jobs_per_day=2)

    assert [create().status_code for _ in range(3)] == [200, 200, 400]
    assert code(create()) == (400, "LIMIT_EXCEEDED")
    assert http.get(f"{DATA}/limits").json()["DailyBulkV2QueryJobs"] == {"Max": 2, "Remaining": 0}


def test_another_api_version_gets_no_results(create, http):
    job_id = create().json()["id"]

    assert http.get(f"{DATA.replace('60', '61')}/jobs/query/{job_id}/results").status_code == 409


def test_an_org_without_bulk_and_faults_of_each_step(org, create, http):
    job = f"{JOBS}/{create().json()['id']}"
    org.faults += [
        Fault(kind="jobs", sobject="Account", status=503),
        Fault(kind="job", status=500),
        Fault(kind="jobResults", refusal="concurrent_limit"),
    ]

    assert [create().status_code, http.get(job).status_code, http.get(f"{job}/results").status_code] == [503, 500, 403]
    org.behave(bulk_enabled=False)
    assert code(create()) == (403, "FEATURENOTENABLED")
