# Every target sets itself up; `make` alone lists them.

.DEFAULT_GOAL := help
.SUFFIXES:
.DELETE_ON_ERROR:

# The Python that makes .venv; the first fitting one when empty.
PYTHON ?=
# What `make run` serves, and where.
CONFIG ?= deploy/vmpooler.yaml
VMPOOLER_API_PORT ?= 4567
VMPOOLER_MANAGER_PORT ?= 4568
# Not empty: `make run` shows every line of every process.
VERBOSE ?=
# More arguments for pytest, such as TESTS='tests/store -k checkout'.
TESTS ?=

# What runs side by side prints its output in one piece, where make can.
SYNC := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

BIN := .venv/bin
STAMP := .venv/.set-up
SOURCES := clients libs services tests tools benchmarks

# uv reads the same pins wherever it runs; no file that is committed names a package index.
COMPILE_ANY := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'
COMPILE := $(COMPILE_ANY) pyproject.toml
COMPILE_GENERATORS := $(COMPILE_ANY) tests/clients/generated/requirements.in

# Most tests wait more than they compute. Those of the whole system have many processes each, so fewer go at once,
# and not beside the others: a Redis that two cores don't serve for seconds fails tests that did nothing wrong.
# They run also when an earlier part failed, which still counts in the end.
ALL_TESTS := failed=0; \
	$(BIN)/python -m pytest -n 5 --dist loadfile --ignore=tests/system || failed=1; \
	$(BIN)/python -m pytest -n 3 --dist worksteal tests/system || failed=1; \
	exit $$failed

.PHONY: help
help: ## List the targets
	@echo 'make TARGET, where TARGET is one of'
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: $(STAMP) ## Make .venv with the project and all that it needs

# A PYTHON that .venv wasn't made with makes it anew.
THIS_PYTHON := -c 'import sys; print(sys.base_prefix, sys.version)' 2>&1 || :
ifneq ($(PYTHON),)
ifneq ($(shell $(PYTHON) $(THIS_PYTHON)),$(shell $(BIN)/python $(THIS_PYTHON)))
.PHONY: $(STAMP)
endif
endif

$(STAMP): requirements.lock pyproject.toml tools/setup.sh
	@PYTHON='$(PYTHON)' sh tools/setup.sh
	@touch $@

.PHONY: run
run: $(STAMP) ## Run Redis, the manager and the API here (CONFIG=file, VERBOSE=1, VMPOOLER_API_PORT=4567)
	@exec $(BIN)/python -m tools.runner --config '$(CONFIG)' \
		--api-port '$(VMPOOLER_API_PORT)' --manager-port '$(VMPOOLER_MANAGER_PORT)' $(if $(VERBOSE),--verbose)

.PHONY: test
test: $(STAMP) ## Run all tests that this machine can run (TESTS='tests/store -k checkout')
	@$(if $(TESTS),$(BIN)/python -m pytest $(TESTS),$(ALL_TESTS))

.PHONY: check
check: $(STAMP) ## Do lint and unit side by side
	@$(MAKE) --no-print-directory --jobs=2 $(SYNC) lint unit

.PHONY: lint
lint: $(STAMP) ## Check format, lint, types and imports
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/python -m mypy
	$(BIN)/lint-imports

.PHONY: unit
unit: $(STAMP) ## Run the unit tests
	$(BIN)/python -m pytest -q tests/unit

.PHONY: fmt
fmt: $(STAMP) ## Format the code and mend what the linter can
	$(BIN)/ruff check --fix-only $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

.PHONY: bench
bench: $(STAMP) ## Measure what the services cost
	@$(BIN)/python -m benchmarks

.PHONY: coverage
coverage: $(STAMP) ## Measure what the tests cover, branches and subprocesses too (TESTS=…)
	@rm -rf .coverage && mkdir .coverage
	@failed=0; \
	$(BIN)/coverage run -m pytest $(or $(TESTS),$(ALL_TESTS)) || failed=1; \
	$(BIN)/coverage combine --quiet && $(BIN)/coverage report; \
	exit $$failed

.PHONY: matrix
matrix: $(STAMP) ## Run unit, store and API tests with each Python that is there (TESTS=…)
	@sh tools/matrix.sh $(TESTS)

.PHONY: lock
lock: $(STAMP) ## Pin the dependencies again after a change of pyproject.toml (UPGRADE=--upgrade)
	$(COMPILE) $(UPGRADE) --all-extras --output-file requirements.lock
	$(COMPILE) $(UPGRADE) --extra client --extra api --extra manager --extra vsphere --extra dns \
		--constraints requirements.lock --output-file deploy/requirements.lock
	$(COMPILE_GENERATORS) $(UPGRADE) --output-file tests/clients/generated/requirements.lock

.PHONY: clean
clean: ## Remove .venv, the caches and what coverage and matrix made; the data of `make run` in .run stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .matrix .generators .coverage
