# `make` is `make demo`; `make help` lists the targets. Needs Python 3.11+ and make; .venv gets the rest.

# The first of these that runs and is new enough. Another one: make demo PYTHON=/path/to/python
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
# Tools must not meet a developer's own settings, such as a real org.
CLEAN := env ENV_FILE=/dev/null OKTA_ISSUER= DATABASE_URL= DEBUG=true
# The tests start hundreds of Python processes, and each would compile the whole code again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test install-tools t test-clients install-clients coverage matrix mutate fuzz screenshots lint fix docs wheel sbom licenses requirements clean
.DEFAULT_GOAL := demo

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.installed ## run the demo site and a local org (PORT, ORG_PORT)
	@exec $(BIN)/python -m project.demo

# make test ARGS="-k signup" passes options to pytest
test: $(VENV)/.installed-test ## run the whole suite on SQLite with a browser, and the database tests on PostgreSQL (ARGS="-k signup")
	@$(BIN)/python scripts/run_tests.py $(ARGS)

install-tools: $(VENV)/.installed-test ## install the Chromium and the servers that make test uses
	@$(BIN)/python scripts/run_tests.py --install

t: $(VENV)/.installed-test ## run some tests on SQLite only: make t T=tests/app/test_settings.py
	@test -n "$(T)" || { echo "Which tests? make t T=tests/app/test_settings.py"; exit 2; }
	@$(CLEAN) $(BIN)/python -m pytest -q $(T) $(ARGS)

coverage: $(VENV)/.installed-dev ## measure lines and branches (SQLite, with the browser); fails under the floor in pyproject.toml
	@rm -f .coverage .coverage.*
	@$(BIN)/python scripts/run_tests.py --sqlite-only --cov --cov-report=term $(ARGS)

install-clients: $(VENV)/.installed-dev ## install Okta's own clients for make test-clients
	@$(BIN)/python scripts/run_client_tests.py --install

test-clients: $(VENV)/.installed-dev ## run Okta's own clients against the local org; needs node, npm and a Chromium
	@$(BIN)/python scripts/run_client_tests.py $(ARGS)

matrix: ## run the quick tests on every Python and Django that this machine has (ARGS="--python 3.12 --django 6.1")
	@$(CLEAN) $(PYTHON) scripts/run_matrix.py $(ARGS)

# What the tests did not notice is explained in pyproject.toml, or a test is missing: mutmut show NAME tells the change.
mutate: $(VENV)/.installed-dev ## change registration/transition.py bit by bit, and list the changes that no test notices
	@rm -rf mutants
	@$(CLEAN) $(BIN)/mutmut run
	@$(CLEAN) $(BIN)/mutmut results

fuzz: $(VENV)/.installed-test ## check the properties with many more examples than the suite does; minutes
	@$(CLEAN) $(BIN)/python -m pytest -q -n auto -m hypothesis --hypothesis-profile=long -o faulthandler_timeout=0 $(ARGS)

# With the Chromium that CHROMIUM names or that is on PATH.
screenshots: $(VENV)/.installed-test ## take the pictures in docs/images
	@CHROMIUM=$${CHROMIUM:-$$(command -v chromium || command -v chromium-browser || command -v google-chrome)} \
		$(CLEAN) $(BIN)/python -m pytest -q tests/browser/screenshots.py

lint: $(VENV)/.installed-dev ## run the static checks
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(CLEAN) $(BIN)/mypy
	$(CLEAN) $(BIN)/python manage.py makemigrations --check --dry-run
	$(CLEAN) $(BIN)/python manage.py check

fix: $(VENV)/.installed-dev ## let ruff correct and format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

ifneq ($(wildcard benchmarks/__main__.py),)
.PHONY: bench bench-quick load drill
bench: $(VENV)/.installed-dev ## measure sign-ups beside other packages, the admin and the local org; needs PostgreSQL (ARGS="org")
	@$(BIN)/python -m benchmarks $(ARGS)

bench-quick: $(VENV)/.installed-dev ## measure sign-ups beside other packages, one short round
	@BENCH_QUICK=1 $(BIN)/python -m benchmarks sign_up

# For LOAD_SECONDS (120); needs nginx, PostgreSQL and Redis, which it starts itself.
load: $(VENV)/.installed-dev ## let twenty visitors sign up at two servers while everything breaks
	@$(BIN)/python -m benchmarks load

# Needs PostgreSQL, and Prometheus for the dashboard. Six minutes.
drill: $(VENV)/.installed-dev ## practise docs/runbook.md: causes of trouble, one after the other (ARGS="--blind" hides one)
	@$(BIN)/python -m benchmarks.drill $(ARGS)
endif

docs: $(VENV)/.installed-dev ## build the documentation into docs/_build/html
	$(CLEAN) $(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

wheel: $(VENV)/.installed-dev ## build the source package and the wheel into dist, and check the wheel
	rm -f dist/*.whl dist/*.tar.gz
	$(BIN)/python -m hatchling build
	$(BIN)/python scripts/check_wheel.py dist/*.whl

# Not --output-reproducible: it leaves out serial number and date, without which nothing can attest the file.
sbom: $(VENV)/.installed-dev ## list what requirements.txt installs as CycloneDX: dist/sbom.cdx.json
	@mkdir -p dist
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --mc-type library -o dist/sbom.cdx.json requirements.txt

licenses: $(VENV)/.installed-dev ## list the licences of what requirements.txt installs: dist/licenses.md
	@mkdir -p dist
	$(BIN)/pip-licenses --from=mixed --with-urls --format=markdown --output-file=dist/licenses.md \
		--packages $$(sed -n 's/^\([A-Za-z0-9_.-]*\)==.*/\1/p' requirements.txt)

requirements: $(VENV)/.installed-dev ## pin the newest versions that the ranges in *.in allow
	for name in requirements requirements-test requirements-dev; do \
		$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--custom-compile-command 'make requirements' $$name.in -o $$name.txt || exit 1; done

clean: ## remove what the demo and the tools left, but for .env
	rm -rf $(VENV) .matrix mutants tests/clients/node_modules staticfiles dist docs/_build .coverage* db.sqlite3* okta_devorg.json* .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.installed: requirements.txt $(BIN)/python
	@echo "Installing requirements.txt into $(VENV) ..."
	@$(INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.installed-test: requirements-test.txt $(VENV)/.installed
	@echo "Installing requirements-test.txt into $(VENV) ..."
	@$(INSTALL) -r requirements-test.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed-test
	@echo "Installing requirements-dev.txt into $(VENV) ..."
	@$(INSTALL) -r requirements-dev.txt
	@touch $@

$(BIN)/python:
	@sh scripts/make_venv.sh "$(PYTHON)" $(VENV)
