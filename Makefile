# Everything a newcomer needs: `make demo` and `make test` set themselves up from nothing but
# Python 3.11-3.13 with venv, make and the package indexes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 3000
# Processes that share the tests, a file at a time.
WORKERS ?= 2
QUIETLY := --quiet --disable-pip-version-check
# Thread pools of two libraries that wait for each other cost more than they give on small machines.
export OMP_NUM_THREADS ?= 1
export MLFLOW_DISABLE_TELEMETRY := true
export BENTOML_DO_NOT_TRACK := True

.PHONY: help setup demo test check lint types format bench reliability docs docs-check lock system clean

help:  ## List what can be made
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*##/  –/'

setup: $(VENV)/installed  ## Create .venv and install from the lock

$(VENV)/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "Smoulder needs Python 3.11-3.13; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@# One that was interrupted begins anew: uv takes half a package for a whole one.
	$(PYTHON) -m venv $$(test -e $(VENV)/begun && echo --clear) $(VENV)
	@touch $(VENV)/begun
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock >$(VENV)/uv.lock
	$(BIN)/python -m pip install $(QUIETLY) --require-hashes -r $(VENV)/uv.lock
	@# uv takes a fifth of pip's processor time; pip is for machines where only pip is told the index.
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock \
		|| $(BIN)/python -m pip install $(QUIETLY) --no-compile --require-hashes -r requirements.lock
	@# On every core, and without what nobody imports; nothing breaks where a file cannot be compiled.
	@$(BIN)/python -m compileall -qq -j 0 -x '/tests?/' $(VENV)/lib || true
	$(BIN)/python -m pip install $(QUIETLY) --no-deps --no-build-isolation --editable .
	@mv $(VENV)/begun $@

demo: setup  ## Train both demonstration models and serve them on http://127.0.0.1:3000
	$(BIN)/smoulder demo --port $(PORT)

test: setup system  ## Run every test
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

check: lint types docs-check  ## Lint, format, types, layers, generated pages

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: setup
	$(BIN)/mypy

format: setup  ## Mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup  ## Run the benchmarks; each prints ratios to a peer in the same run
	@for each in $(basename $(notdir $(wildcard benchmarks/[a-z]*.py))) training; do \
		echo "== $$each"; $(BIN)/python -m benchmarks.$$each || exit 1; done

reliability: setup  ## Make every fault the service has to survive, and write docs/reliability.md
	$(BIN)/python -m benchmarks.reliability

docs: setup  ## Write the pages that are made from the code
	$(BIN)/python -m models.pages
	$(BIN)/python -m training.simulation.report

docs-check: setup
	$(BIN)/python -m models.pages --check
	$(BIN)/python -m training.simulation.report --check

system:  ## Install Debian's Chromium and PostgreSQL where apt-get is usable
	@{ command -v chromium && ls /usr/lib/postgresql/*/bin/initdb; } >/dev/null 2>&1 || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
		&& apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium postgresql >/dev/null; } \
		|| echo "Chromium or PostgreSQL is missing and cannot be installed here; their tests will fail. Type: sudo apt-get install -y chromium postgresql"

lock:  ## Resolve the lock again for Python 3.11-3.13 (needs uv)
	uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 \
		--generate-hashes --fork-strategy fewest --no-emit-index-url \
		--custom-compile-command "make lock" -q -o requirements.lock

clean:  ## Remove what was built; keeps mlruns
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
