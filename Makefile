# Everything that people and CI run. Each target sets up what it needs, on a machine with only Python and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# One more than there are processors, because many tests wait for a process or a limit.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

# Many images forbid Python to keep its bytecode; then each process of the tests compiles everything anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test test-systemd coverage check format simulate kill soak bench browser screenshots clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

# The stamp is newer than what decides the contents of the environment, or the environment is made anew.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(READY) ## The tour: simulator, plan, apply, drift healed, run resumed
	@$(BIN)/cdsync demo

test: $(READY) ## All tests
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -q

test-systemd: $(READY) ## The units in a booted Debian; needs root, systemd-container and mmdebstrap
	$(BIN)/python -m tests.systemd

coverage: $(READY) ## All tests, with branch coverage
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -q --cov --cov-report=term:skip-covered --cov-fail-under=90

check: $(READY) ## Lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY) ## Put the code in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

simulate: $(READY) ## SEEDS worlds (200) that break things, from START on (0), on all cores
	$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),200) --start $(or $(START),0)

kill: $(READY) ## Kill an apply KILLS times (200) with SIGKILL, and look whether anything was doubled or lost
	$(BIN)/python -m tests.cli.kill_loop --kills $(or $(KILLS),200)

soak: $(READY) ## A simulated day of the daemon (HOURS 24, SCHEDULES 500, COMMITS 50), with faults
	$(BIN)/python -m tests.soak --hours $(or $(HOURS),24) --schedules $(or $(SCHEDULES),500) --commits $(or $(COMMITS),50)

bench: $(READY) ## Time and memory beside their floors (SIZES, RUNS); CHECK=1 fails far above an aim
	$(BIN)/python -m benchmarks.bench $(if $(SIZES),--sizes $(SIZES)) $(if $(RUNS),--runs $(RUNS)) $(if $(CHECK),--check)

browser: ## What the tests in a browser need besides chromium and chromium-driver
	npm install --prefix tests/browser --no-package-lock --no-audit --no-fund --ignore-scripts

screenshots: $(READY) ## Make the pictures of the status page
	$(BIN)/python docs/screenshots.py

clean: ## Remove what the targets above made
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
