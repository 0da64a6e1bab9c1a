"""`sf-assets reconcile` says which rows differ, and makes the table equal to the org."""

import pytest

from sf_assets.devorg.api.server import serve
from sf_assets.devorg.sample import sample_org

ROWS = {"Account": 5, "Contact": 12, "Opportunity": 3}


@pytest.fixture
def org(environment):
    with serve(sample_org(seed=7, rows=ROWS)) as server:
        secrets = {f"SALESFORCE_{name.upper()}": value for name, value in server.credentials.items()}
        server.shell = {
            "SF_ASSETS_DEPLOYMENT": "production",
            "SF_ASSETS_LEDGER": f"sqlite:///{environment['SF_ASSETS_HOME']}/ledger.db",
            "SALESFORCE_INSTANCE_URL": server.url,
            "SALESFORCE_REQUESTS_PER_SECOND": "1000",
            **secrets,
        }
        yield server


def test_a_dry_run_names_the_rows_and_the_run_makes_the_table_equal(sf_assets, org):
    first = sf_assets("reconcile", "contact", **org.shell)
    purged = next(row["Id"] for row in org.org.rows("Contact") if not row["IsDeleted"])
    org.org.purge("Contact", purged)

    dry = sf_assets("reconcile", "contact", "--dry-run", **org.shell)
    process = sf_assets("reconcile", "contact", **org.shell)
    again = sf_assets("reconcile", "contact", "--dry-run", **org.shell)

    assert (first.returncode, process.returncode, again.returncode) == (0, 0, 0), first.stderr + process.stderr
    assert "contact: not compared, it is not read completely yet." in first.stdout
    assert f"contact: 1 in the table and not shown by the org: {purged}." in dry.stdout
    assert "contact: equal to the org." in again.stdout
