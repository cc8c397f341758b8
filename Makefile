# The interpreter that .venv is made with: make demo PYTHON=python3.12
PYTHON ?= python3
# For `make bench`: a folder of tables with their index.json; few rounds; some benchmarks only; write
# the figures into the repository.
DATA ?=
QUICK ?=
ONLY ?=
RECORD ?=
# Where `make quality` keeps what it measured.
WORK ?= .benchmarks/quality
# Tests that run at the same time.
JOBS ?= 2

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
TORCH := $(shell grep '^torch==' constraints.txt)
# timm needs torchvision, which has no build for every machine: its stub is not held against it.
STUBBED := $(filter-out timm,$(notdir $(wildcard stubs/*)))
PACKAGE := $(VENV)/package.stamp
TOOLS := $(VENV)/tools.stamp
BENCH := .venv-bench
BENCH_PIP := $(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PEERS := $(BENCH)/peers.stamp

.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help setup demo check lint test bench quality docs clean

help:
	@echo 'make demo    train a teacher on a real table, distil it, compare the two'
	@echo 'make check   everything that must hold: lint, types, floors, documents, tests'
	@echo 'make setup   what the others need: .venv with kdtab and the development tools'
	@echo 'make lint    all checks but the tests'
	@echo 'make test    the tests'
	@echo 'make bench   the benchmarks; QUICK=1, ONLY=step,tables, DATA=folder, RECORD=1'
	@echo 'make quality students against their teachers on many tables; DATA=folder, QUICK=1, RECORD=1'
	@echo 'make docs    write the generated pages again'
	@echo 'make clean   remove everything that the others made'

# A stamp is written last, so that an interrupted setup starts again where it was.
$(PACKAGE): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "kdtab needs Python 3.11 or newer, this is " + sys.version.split()[0] + ": name another with PYTHON=python3.11")'
	@echo 'setup: installing kdtab into $(VENV) (about a minute, once)'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@rm -f $(PACKAGE) $(TOOLS)
	@$(PIP) '$(TORCH)'
	@$(PIP) --editable .
	@touch $@

$(TOOLS): $(PACKAGE)
	@echo 'setup: installing the development tools into $(VENV)'
	@$(PIP) --editable '.[dev]'
	@touch $@

setup: $(TOOLS)

demo: $(PACKAGE)
	@$(BIN)/kdtab demo

# The tests come last: their closing line is the closing line of the check.
check: lint test

lint: $(TOOLS)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	MYPYPATH=stubs $(BIN)/stubtest --ignore-missing-stub --mypy-config-file pyproject.toml $(STUBBED)
	$(BIN)/python tests/traceability.py --check
	$(BIN)/python tests/reference.py --check

test: $(TOOLS)
	$(BIN)/python -m pytest -q -p no:benchmark -n $(JOBS) --dist worksteal

# What kdtab is measured against is no dependency of it: an environment of its own.
$(PEERS): pyproject.toml constraints.txt benchmarks/requirements.txt
	@echo 'bench: installing kdtab and its peers into $(BENCH) (some minutes, once)'
	@$(BENCH)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(BENCH)
	@$(BENCH_PIP) '$(TORCH)'
	@$(BENCH_PIP) --editable '.[onnx,pandas]' pytest
	@grep -v '^#' benchmarks/requirements.txt | while read -r peer; do \
		$(BENCH_PIP) $$peer || echo "bench: $$peer did not install and is skipped"; \
	done
	@touch $@

# Ratios, side by side, beside those of benchmarks/figures.json. A figure that moved fails nothing.
bench: $(PEERS)
	@$(BENCH)/bin/python -m benchmarks.run $(if $(QUICK),--quick) $(if $(ONLY),--only '$(ONLY)') \
		$(if $(DATA),--data '$(DATA)') $(if $(RECORD),--record)

# The protocol of benchmarks/quality: hours, or less than one with QUICK=1; what is measured stays in
# WORK, so that a run that was broken off goes on. RECORD=1 writes docs/results.md.
quality: $(TOOLS)
	@$(BIN)/python -m benchmarks.quality --work '$(WORK)' $(if $(QUICK),--quick) \
		$(if $(ONLY),--tables '$(ONLY)') $(if $(DATA),--data '$(DATA)') \
		$(if $(RECORD),--page docs/results.md)

docs: $(TOOLS)
	$(BIN)/python tests/traceability.py
	$(BIN)/python tests/reference.py

clean:
	rm -rf $(VENV) $(BENCH) build dist src/kdtab.egg-info .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
