# Set-up, checks and releases. `make` alone lists the targets.
# On a fresh machine Python 3.10 or newer and make are enough; `make lint` also needs Node.js.
# Another Python: make test PYTHON=python3.13 VENV=.venv-3.13

PYTHON ?= python3
VENV ?= .venv
DEMO_VENV ?= .venv-demo
LINT := .ci/lint

# Tools are those of the virtual environment, also where one tool starts another.
export PATH := $(abspath $(VENV))/bin:$(PATH)
# Quiet and offline as far as they can be.
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
export REDOCLY_SUPPRESS_UPDATE_NOTICE := true
export REDOCLY_TELEMETRY := off

# So that `make -j check` still ends with the summary of the tests.
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help install demo generate format check lint types test test-slow docs congruence record spec-diff faults abuse soak ingest-figures screenshots bench bench-embedded bench-check build clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/installed ## Install everything for development into .venv

demo: $(DEMO_VENV)/installed ## Run the main job on an embedded MemStack; needs no server
	@$(DEMO_VENV)/bin/python examples/demo.py

generate: $(VENV)/installed ## Write generated/memstack_api from openapi.yaml
	.ci/generate

format: $(VENV)/installed ## Format the code, and fix what can be fixed
	ruff check --fix
	ruff format

check: lint types test test-slow ## All that CI runs: lint, types, test, test-slow

lint: $(VENV)/installed $(LINT)/node_modules/installed ## Check style, imports, the spec and the generated code
	ruff check
	ruff format --check
	lint-imports --no-logo
	openapi-spec-validator openapi.yaml
	$(LINT)/node_modules/.bin/redocly lint --config $(LINT)/redocly.yaml openapi.yaml
	.ci/generate --check

types: $(VENV)/installed ## Check the types, with mypy and pyright
	mypy
	pyright

test: $(VENV)/installed ## Run the tests, but for the slow ones, on all processors
	pytest -n auto --dist worksteal -m "not slow"

test-slow: $(VENV)/installed ## Run the slow tests, and those by examples with ten times as many
	pytest -n auto --dist worksteal -m "slow or hypothesis" --hypothesis-profile=thorough

docs: $(VENV)/installed ## Run the code of the docs
	pytest tests/public

congruence: $(VENV)/installed ## Write docs/congruence.md: how the embedded server differs
	python -m tests.contract.closures

spec-diff: $(VENV)/installed ## Compare a server's API with openapi.yaml: SERVER=URL or file
	@test -n "$(SERVER)" || { echo "make spec-diff SERVER=https://memstack.example.com" >&2; exit 2; }
	@python .ci/spec_diff.py "$(SERVER)"

record: $(VENV)/installed ## Record a live server into tests/cassettes/recorded
	python -m tests.cassettes.record $(FOLDER)

faults: $(VENV)/installed ## Write docs/reliability.md: creates through a proxy that fails
	python -m tests.integration.faults

abuse: $(VENV)/installed ## Write docs/reliability.md: the embedded database under abuse
	python -m tests.integration.abuse

soak: $(VENV)/installed ## Write docs/reliability.md: memory over many calls; fails if it grows
	python -m benchmarks.soak

ingest-figures: $(VENV)/benched ## Write docs/ingest.md: kills, cost and memory of bulk ingests; a quarter of an hour
	python -m benchmarks.ingest

screenshots: $(VENV)/installed ## Write docs/images: the page of memstack serve; needs Chromium
	$(VENV)/bin/python -m pip install --quiet --editable '.[browser]'
	python -m tests.integration.screenshots

bench: $(VENV)/benched ## Write docs/performance.md, what calls cost, and docs/search.md, what is found
	python -m benchmarks
	python -m benchmarks.retrieval
	python -m benchmarks.meaning

bench-embedded: $(VENV)/benched ## Write docs/performance.md: the embedded MemStack beside bare SQLite
	python -m benchmarks.embedded

bench-check: $(VENV)/benched ## Fail where a call costs a quarter more than docs/performance.md says
	python -m benchmarks check

build: $(VENV)/installed ## Build the wheel and the sdist into dist/
	python -m build

clean: ## Remove everything that make has made
	rm -rf .venv .venv-* $(LINT)/node_modules build dist htmlcov .coverage .coverage.*
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# Editable, so that a change of the code needs no new installation; one of pyproject.toml does.
$(VENV)/installed: pyproject.toml
	$(call new_venv,$(VENV))
	$(VENV)/bin/python -m pip install --quiet --editable '.[dev]'
	@touch $@

# What is compared with, and what draws.
$(VENV)/benched: $(VENV)/installed
	$(VENV)/bin/python -m pip install --quiet --editable '.[bench]'
	@touch $@

# Only what the package itself needs: the shortest way to a first success.
$(DEMO_VENV)/installed: pyproject.toml
	$(call new_venv,$(DEMO_VENV))
	$(DEMO_VENV)/bin/python -m pip install --quiet --editable .
	@touch $@

$(LINT)/node_modules/installed: $(LINT)/package-lock.json
	@command -v npm >/dev/null || { echo "make lint needs Node.js 20.19 or newer, with npm" >&2; exit 1; }
	npm ci --prefix $(LINT) --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@

define new_venv
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	{ echo "Python 3.10 or newer is needed: make PYTHON=/path/to/python3" >&2; exit 1; }
$(PYTHON) -m venv $(1)
endef
