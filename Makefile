# One verb per line of `make help`. Everything happens in .venv; nothing outside this folder is changed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt
PYTEST_ARGS ?=
# Tests run in processes of one thread each: threads of one process that wait for a busy core are slower than one thread.
# Tests of clusters run by themselves at the end: Ray gives each of its dozen processes 30 s to start. Where PYTEST_ARGS
# selects none of them, pytest ends with 5.
# Hypothesis's profile `ci` draws the same examples each time and sets no time limits; bare pytest looks for new examples.
TEST_PROCESSES ?= 2

# movement checks the files that are written for it. Its validators need little; what else it would install, a viewer and
# its window system, is 1.1 GB.
MOVEMENT := movement==0.15.0

# A stamp says what .venv holds: `core` is what a user installs, `full` adds training, export and the developer's tools.
CORE := $(VENV)/.installed-core
FULL := $(VENV)/.installed-full

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo dream test install check lint types layers proto proto-check proto-lint proto-breaking proto-release fmt image clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(CORE) ## Lift a real clip through a server on loopback, print the hypotheses, write a report
	@$(BIN)/pose-mdn demo

dream: $(CORE) ## Write dream.html: move through the pose VAE's latents in a browser (needs Node.js)
	@$(BIN)/python examples/dream/build.py --out dream.html

test: $(FULL) ## Run all tests (PYTEST_ARGS='-k camera' narrows, TEST_PROCESSES=0 uses one process)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(TEST_PROCESSES) -m 'not ray' --hypothesis-profile=ci $(PYTEST_ARGS)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m ray --hypothesis-profile=ci $(PYTEST_ARGS) || [ $$? -eq 5 ]

install: $(FULL) ## Install everything into .venv: core, training, export, developer's tools

check: lint types layers proto-check proto-lint proto-breaking ## All checks that run no tests; the pre-commit hooks are these

lint: $(FULL) ## Style, formatting and spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: $(FULL) ## Static types, strictly
	$(BIN)/mypy

layers: $(FULL) ## Who may import whom (docs/architecture.md)
	$(BIN)/lint-imports --no-logo

proto: $(FULL) ## Regenerate server/pose_mdn_server/rpc and docs/api.md from proto/
	$(BIN)/python proto/generate.py
	$(BIN)/python proto/document.py

proto-check: $(FULL) ## Fail if the committed generated code or docs/api.md differs from proto/
	$(BIN)/python proto/generate.py --check
	$(BIN)/python proto/document.py --check

proto-lint: $(FULL) ## Style of proto/, by buf's standard rules (needs Node.js; says so and passes without)
	@$(BIN)/python proto/buf.py lint

proto-breaking: $(FULL) ## Fail if proto/ breaks those who call the released API (needs Node.js, as above)
	@$(BIN)/python proto/buf.py breaking

proto-release: $(FULL) ## Write proto/released.binpb: from now on, what proto/ holds is what callers rely on
	@$(BIN)/python proto/buf.py release

fmt: $(FULL) ## Format the code and mend what can be mended safely
	$(BIN)/ruff check --fix --exit-zero --quiet .
	$(BIN)/ruff format .

image: ## Build the container image, run it and lift a pose in it, without a Docker engine (needs root, buildah)
	deploy/build_and_run_image.sh

clean: ## Remove .venv, caches and build results
	rm -rf $(VENV) build dist demo-report.html .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf dream.html .cache/dream .cache/buf
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "pose-mdn needs Python 3.11 or newer, which '$(PYTHON)' is not;" \
	       "name another one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Creating $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "'$(PYTHON) -m venv' failed; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

$(CORE): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing pose-mdn ..."
	@$(INSTALL) --editable .
	@touch $@

$(FULL): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing pose-mdn with training, export and developer's tools ..."
	@$(INSTALL) --editable '.[train,export,dev]'
	@$(INSTALL) --no-deps $(MOVEMENT)
	@touch $(CORE) $@
