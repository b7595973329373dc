# Everything a person needs to try, test and measure Fiscal Ledger. `make` alone lists it.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:

UV_VERSION := 0.13.9
EXTRAS := --extra embedded
BIN := .venv/bin
READY := .venv/.synced
# More words for the command behind a target: make test ARGS="-k numbering", make chaos ARGS="--minutes 10".
ARGS ?=

# A checkout may lie anywhere and a `make` may run inside another environment: ours is .venv, always.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME
export UV_PROJECT_ENVIRONMENT := .venv

.PHONY: help run test check bench chaos lint unit install changelog clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

run: $(READY) ## Start everything on this machine with a demo network and make a first sale
	$(BIN)/fiscal up --demo $(ARGS)

test: $(READY) lint ## Linters and every test, on a real PostgreSQL and the simulator
	$(BIN)/pytest -n auto --dist loadscope $(ARGS)

check: $(READY) lint unit ## What must be green before a commit: format, lint, types, imports, unit tests

bench: $(READY) ## Measure speed and memory beside their references; writes build/bench.json
	$(BIN)/python -m tests.bench $(ARGS)

chaos: $(READY) ## Kill processes at random under load and count what was lost; writes build/chaos.json
	$(BIN)/python -m tests.chaos $(ARGS)

lint: $(READY) ## Format, lint, types and import arrows, without tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

unit: $(READY) ## Unit and architecture tests: no database, seconds
	$(BIN)/pytest tests/unit tests/architecture -n auto -m "not slow" $(ARGS)

install: $(READY) ## Make the virtual environment and install what uv.lock names

changelog: $(READY) ## Show what changelog.d/ will add to CHANGELOG.md
	$(BIN)/towncrier build --draft --version "$$($(BIN)/uv version --short)"

clean: ## Remove the virtual environment, build results and caches; never .fiscal, where the data lives
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the virtual environment ----------------------------------------------------------------------
# Made once with any Python >= 3.11, then filled from uv.lock; made again only when those two change.
# Without --inexact a sync would remove what a developer added by hand.

$(READY): pyproject.toml uv.lock | $(BIN)/uv
	$(BIN)/uv sync --locked --inexact --quiet $(EXTRAS)
	$(BIN)/python -m infra.signing.build
	@touch $@

$(BIN)/uv:
	@python=""; \
	for candidate in python3.13 python3.12 python3.11 python3; do \
	    if $$candidate -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	    then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "Fiscal Ledger needs Python 3.11 or newer with its venv module." >&2; \
	    echo "On Debian and Ubuntu: apt-get install python3 python3-venv" >&2; \
	    exit 1; \
	fi; \
	echo "Making .venv with $$($$python --version)"; \
	$$python -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
