"""A Spark of the tests: `make test-spark` installs it."""

import os
from pathlib import Path

import pytest

from sf_assets_tests.spark.engine import collect_jars

PYTHON = Path(os.environ.get("SPARK_PYTHON", ".spark/bin/python")).absolute()


@pytest.fixture(scope="session")
def jars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Iceberg's runtime jar, and what it lacks."""
    if not PYTHON.exists():
        pytest.skip(f"no Spark in {PYTHON}: make test-spark installs it")
    return collect_jars(PYTHON, tmp_path_factory.mktemp("jars"))
