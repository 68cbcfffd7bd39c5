# The commands of README.md. Each sets up what it needs first, in .venv and .backhaul, without root.
#
#   make setup                      only the set-up
#   make demo [BACKUPS=DIR]         the main job, on sample backups or on those in DIR
#   make test [ARGS="-k chain"]     the tests; ARGS go to pytest
#   make bench [ARGS="engines"]     speed and memory beside their targets; ARGS="--help" tells more
#   make lint                       ruff and mypy
#   make clean                      deletes all that was set up and kept

PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo test bench lint clean

setup: .venv/installed
	@$(BIN)/python -m local.setup

demo: setup
	$(BIN)/backhaul demo $(if $(BACKUPS),--backups "$(BACKUPS)")

test: setup
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 $(ARGS)

bench: setup
	$(BIN)/python -m bench $(ARGS)

lint:
	.ci/run lint types

clean:
	rm -rf .venv .backhaul .hypothesis .mypy_cache .pytest_cache .ruff_cache *.egg-info

.venv/installed: requirements.txt requirements-local.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' || { \
		echo "Error: needs Python 3.10, 3.11, 3.12 or 3.13; seen: $$($(PYTHON) --version 2>&1)"; \
		echo "Try:   make $(MAKECMDGOALS) PYTHON=/path/of/python3.12"; exit 1; } >&2
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		echo "Error: $(PYTHON) cannot make virtual environments"; \
		echo "Try:   as root: apt-get install python3-venv"; exit 1; } >&2
	$(BIN)/python -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --disable-pip-version-check --requirement requirements-dev.txt
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps --editable .
	@touch $@
