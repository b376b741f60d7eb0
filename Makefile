# `make help` says what there is. Everything lives in .venv and .demo; nothing else is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Tests wait for processes now and then: half as many again as there are cores keep these busy.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) '*' 3 / 2)

# A test starts hundreds of processes, and a process that finds no compiled modules takes twice as long.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test check lint types layers bench soak clean
.DEFAULT_GOAL := help

help:  ## What there is
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(VENV)/.ready  ## See real rows of real files travel into a site
	@IDMS=$(BIN)/idms bash jobs.d/demo.sh

test: $(VENV)/.ready  ## All tests
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

check: lint types layers test  ## Lint, types, layers and tests

lint: $(VENV)/.ready  ## ruff: rules and layout
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.ready  ## mypy, strict
	$(BIN)/mypy

layers: $(VENV)/.ready  ## import-linter: imports point downwards
	$(BIN)/lint-imports

bench: $(VENV)/.ready  ## Measure speed and memory; prints figures, judges nothing
	@for bench in tests/bench/bench_*.py; do $(BIN)/python $$bench || exit 1; done

soak: $(VENV)/.ready  ## The long form of the crash tests
	IDMS_SOAK=1 $(BIN)/pytest -n auto -m slow --timeout 3600

clean:  ## Remove what make made
	rm -rf $(VENV) .demo .idms build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
