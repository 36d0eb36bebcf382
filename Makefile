# make demo        simulate an observation, extract it, open it in jdaviz   (ARGS=--no-browser to only serve it)
# make test        everything that must pass: style, unit tests, notebooks, browser tests
# make test-all    the same and the tests that compute for minutes
# make bench       our speed and accuracy beside jwst and specreduce
# make docs        the documentation as a site, in docs/_build/html
# make screenshots the pictures of the README, made by the browser tests
# make clean       remove what the others made

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

# The first Python that is new enough and can make virtual environments.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)

export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Python compiles the modules that are used when they are; of 17,000 files that pip would compile most never are.
export PIP_COMPILE := 0

# Style and types are checked while the browser is downloaded.
MAKEFLAGS += --jobs=2

.PHONY: demo test test-all lint bench docs screenshots chromium clean

demo: $(VENV)/.demo
	@exec $(BIN)/jdaviz-lrs demo $(ARGS)

test: lint chromium
	$(BIN)/pytest -n 2 --dist worksteal -m "not browser and not slow"
	$(BIN)/pytest -n 2 --dist worksteal -m "browser and not slow"

test-all: lint chromium
	$(BIN)/pytest -n 2 --dist worksteal -m "not browser"
	$(BIN)/pytest -n 2 --dist worksteal -m browser

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.test
	$(BIN)/python tests/benchmarks/run.py $(ARGS)

docs: $(VENV)/.docs
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

screenshots: chromium
	SCREENSHOTS=notebooks/images $(BIN)/pytest -m browser

chromium: $(VENV)/.test
	@.ci/chromium $(BIN)/playwright

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer, with its venv module, is needed; found: \
	$$(python3 --version 2>&1). Name one with make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The server's front end comes with solara-assets, so that a browser needs no network.
$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable . solara-assets
	@touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable ".[test]"
	@touch $@ $(VENV)/.demo

$(VENV)/.docs: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable ".[docs]"
	@touch $@

clean:
	rm -rf $(VENV) demo artifacts build dist docs/_build docs/_made .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
