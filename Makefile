# Two commands matter: `make run` starts the site, `make test` proves it.
# Needs make and Python >= 3.11; uses uv when it is there. Everything made stands in .venv and ./data.

PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null)
BIN := .venv/bin
# Compiled modules halve the time of a start, and the tests start many processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test lint types mutate test-sqlite test-postgres test-browser bench demo clean map lock python dev

# `make run` shows the demo; a real site runs `weicheng init` and `weicheng run` itself.
run demo: export WEICHENG_DEMO ?= 1

run: .venv/stamp-run
	@$(BIN)/weicheng init --demo
	@exec $(BIN)/weicheng run

demo: .venv/stamp-run
	@$(BIN)/weicheng init --demo

# --- what is proved, cheapest first ----------------------------------------------------------------
test: lint types test-sqlite test-postgres test-browser

lint: .venv/stamp-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python tools/pytest_on.py sqlite tests/house/test_docs.py -q

# The plugin for Django loads the settings, which want a data folder: it goes where the caches are.
types: .venv/stamp-dev
	WEICHENG_DATA=.mypy_cache/site $(BIN)/mypy weicheng

# Changes one thing in the rules at a time and sees whether their tests notice (docs/mutation.md).
mutate: .venv/stamp-dev
	$(BIN)/python tools/mutate_rules.py --jobs 2

test-sqlite: .venv/stamp-dev
	$(BIN)/python tools/pytest_on.py sqlite -n 2 -m "not browser"

test-postgres: .venv/stamp-dev
	$(BIN)/python tools/pytest_on.py postgresql -n 2 -m "not browser and not once" --ignore=tests/rules --ignore=tests/packs

test-browser: .venv/stamp-dev
	@if [ -x tools/install_system.sh ]; then tools/install_system.sh; fi
	$(BIN)/python tools/pytest_on.py sqlite -n 2 -m browser --dist loadscope
	$(BIN)/python tools/pytest_on.py postgresql -n 2 -m "browser and not once"

bench: .venv/stamp-dev
	$(BIN)/python -m bench

# --- what is generated -----------------------------------------------------------------------------
map: .venv/stamp-dev
	$(BIN)/python tools/map.py

lock:
	tools/lock

# --- the environment: made once, made again when its description changes ---------------------------
python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Python is missing. Install Python 3.11 or newer, on Debian: apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$$($(PYTHON) --version) is too old: 3.11 or newer is needed. Name another one: make run PYTHON=python3.12"; \
	  exit 1; }

.venv/stamp-run: pyproject.toml requirements.lock | python
	@tools/make_venv requirements.lock "$(PYTHON)" "$(UV)"
	@touch $@

.venv/stamp-dev: pyproject.toml requirements.lock requirements-dev.lock | python
	@tools/make_venv requirements-dev.lock "$(PYTHON)" "$(UV)"
	@touch .venv/stamp-run $@

dev: .venv/stamp-dev

# Only what can be made again: data and backups are not.
clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis test-results
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
