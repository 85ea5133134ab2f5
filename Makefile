# Every target does its own set-up in .venv; PYTHON=... chooses the interpreter of a new one.

PYTHON ?= $(shell for each in python3.13 python3.12 python3.11 python3; do \
	$$each -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$each && break; done)
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test lint types floors check docs pictures wheel bench torture

demo: .venv/ready
	@$(BIN)/reminderd demo

test: .venv/ready-dev
	$(BIN)/python -m pytest --quiet --numprocesses=auto --dist=loadfile

lint: .venv/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready-dev
	$(BIN)/mypy

floors: .venv/ready-dev
	$(BIN)/lint-imports

check: lint types floors test

docs: .venv/ready-dev
	$(BIN)/python -m docs.generate

pictures: .venv/ready-dev
	$(BIN)/python -m docs.pictures

wheel: .venv/ready-dev
	$(BIN)/python -m build --no-isolation

bench: .venv/ready-dev
	$(BIN)/python -m benchmarks

torture: .venv/ready-dev
	$(BIN)/python -m tests.faults.torture

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "reminderd needs Python 3.11 or later with venv:" \
		"install python3 and python3-venv, or say make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -m venv --clear .venv

.venv/ready: .venv/bin/python pyproject.toml constraints.txt
	@echo "Setting up .venv" >&2
	@$(INSTALL) hatchling
	@$(INSTALL) --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q reminderd
	@touch $@

.venv/ready-dev: .venv/ready
	@$(INSTALL) --no-build-isolation --editable '.[dev]'
	@touch $@
