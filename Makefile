# make demo | test | coverage | fuzz | screenshots | lint | docs | bench | load
# Needs Python 3.11+ and make; .venv gets the rest.

# The first of these that runs and is new enough. Another one: make demo PYTHON=/path/to/python
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
# Tools must not meet a developer's own settings, such as a real org.
CLEAN := env ENV_FILE=/dev/null OKTA_ISSUER= DATABASE_URL= DEBUG=true

.PHONY: demo docs test test-clients install-clients coverage fuzz screenshots lint wheel requirements clean
.DEFAULT_GOAL := demo

demo: $(VENV)/.installed
	@exec $(BIN)/python -m project.demo

# make test ARGS="-k signup" passes options to pytest
test: $(VENV)/.installed-dev
	@$(BIN)/python scripts/run_tests.py $(ARGS)

# Which lines and branches the suite runs (SQLite, with the browser), and what it misses; fails under the floor.
coverage: $(VENV)/.installed-dev
	@rm -f .coverage .coverage.*
	@$(BIN)/python scripts/run_tests.py --sqlite-only --cov --cov-report=term $(ARGS)

install-clients: $(VENV)/.installed-dev
	@$(BIN)/python scripts/run_client_tests.py --install

# Okta's own clients against the local org; needs node, npm and a Chromium.
test-clients: $(VENV)/.installed-dev
	@$(BIN)/python scripts/run_client_tests.py $(ARGS)

# The properties with many more and other examples than in the suite; minutes.
fuzz: $(VENV)/.installed-dev
	@$(CLEAN) $(BIN)/python -m pytest -q -n auto -m hypothesis --hypothesis-profile=long -o faulthandler_timeout=0 $(ARGS)

# The pictures in docs/images, with the Chromium that CHROMIUM names or that is on PATH
screenshots: $(VENV)/.installed-dev
	@CHROMIUM=$${CHROMIUM:-$$(command -v chromium || command -v chromium-browser || command -v google-chrome)} \
		$(CLEAN) $(BIN)/python -m pytest -q tests/browser/screenshots.py

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(CLEAN) $(BIN)/mypy
	$(CLEAN) $(BIN)/python manage.py makemigrations --check --dry-run
	$(CLEAN) $(BIN)/python manage.py check

ifneq ($(wildcard benchmarks/__main__.py),)
.PHONY: bench load
bench: $(VENV)/.installed-dev
	@$(BIN)/python -m benchmarks

# Twenty visitors while everything breaks, for LOAD_SECONDS (120); needs PostgreSQL (BENCH_DATABASE_URL).
load: $(VENV)/.installed-dev
	@$(BIN)/python -m benchmarks load
endif

docs: $(VENV)/.installed-dev
	$(CLEAN) $(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

wheel: $(VENV)/.installed-dev
	rm -rf dist
	$(BIN)/python -m hatchling build -t wheel
	$(BIN)/python scripts/check_wheel.py dist/*.whl

# Pins the newest versions that the ranges in *.in allow.
requirements: $(VENV)/.installed-dev
	for name in requirements requirements-dev; do \
		$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--custom-compile-command 'make requirements' $$name.in -o $$name.txt || exit 1; done

# The demo's and tools' leftovers, .env aside.
clean:
	rm -rf $(VENV) tests/clients/node_modules staticfiles dist .coverage* db.sqlite3* okta_devorg.json* .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.installed: requirements.txt $(BIN)/python
	@echo "Installing requirements.txt into $(VENV) ..."
	@$(INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo "Installing requirements-dev.txt into $(VENV) ..."
	@$(INSTALL) -r requirements-dev.txt
	@touch $@

$(BIN)/python:
	@sh scripts/make_venv.sh "$(PYTHON)" $(VENV)
