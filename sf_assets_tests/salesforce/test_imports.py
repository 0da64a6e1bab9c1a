"""What it costs to import the client: the heavy libraries wait until a request is sent."""

import subprocess
import sys

HEAVY = ("httpx", "jwt", "cryptography", "sqlalchemy", "polars", "dagster")


def test_the_client_can_be_imported_without_any_heavy_library():
    script = f"import sys, sf_assets.salesforce.client; print([name for name in {HEAVY} if name in sys.modules])"

    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert process.stdout.strip() == "[]"
