"""The page of endpoints equals the table, and its examples work."""

import re
from pathlib import Path

from docs.generate_endpoints import PAGE, endpoints_page
from sf_assets.specs.endpoints import endpoints

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_table_says() -> None:
    assert (ROOT / PAGE).read_text() == endpoints_page(), "run: python docs/generate_endpoints.py"


def test_the_pages_examples_make_an_endpoint_and_its_settings(tmp_path: Path) -> None:
    row, settings = re.findall(r"```toml\n(.*?)```", endpoints_page(), re.DOTALL)
    (query,) = re.findall(r"```sql\n(.*?)```", endpoints_page(), re.DOTALL)
    (tmp_path / "endpoints.toml").write_text(row + settings)
    (tmp_path / "invoice.soql").write_text(query)

    specs = {spec.endpoint: spec for spec in endpoints(tmp_path)}

    assert specs["invoice"].sobject == "Invoice__c"
    assert specs["account"].owner == "team:finance"
