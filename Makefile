# The working day's table of contents: `make help`.

.DEFAULT_GOAL := help
SHELL := /bin/sh

HOST ?= 127.0.0.1
PORT ?= 8000
# WORKERS=4 asks for exactly four; without it the capacity plan decides how many fit.
WORKERS ?=
HOW_MANY := $(if $(WORKERS),--workers=$(WORKERS),--fast)

# The first Python that fits; the embedded database has wheels up to 3.13. PYTHON=… chooses another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && { echo "$$p"; break; }; done)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# npm writes this file at the end of a complete installation.
NODE_CLIENTS := tests/clients/node/node_modules/.package-lock.json
CODE := $(wildcard server.py config services blueprints tools tests benchmarks)
FOLDER ?= screenshots
export PYTHONUNBUFFERED := 1

.PHONY: help run plan prod-cluster prod-single verify reload scale bench bench-m0 install test ready chaos unit screenshots chromium test-tools lint format lock clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.embedded ## start Panal with its own database and an emulated WhatsApp (PORT=8000 HOST=127.0.0.1 WORKERS=)
	@exec $(BIN)/sanic server:app --host=$(HOST) --port=$(PORT) $(HOW_MANY)

plan: $(VENV)/.base ## print the capacity plan without starting anything (WORKERS=)
	@exec $(BIN)/python -m config.capacity $(HOW_MANY)

prod-cluster: export PANAL_PROFILE := production
prod-cluster: $(VENV)/.base ## start production on every core, open to the network (PORT=, PANAL_* settings)
	@exec $(BIN)/sanic server:app --host=0.0.0.0 --port=$(PORT) $(HOW_MANY)

prod-single: export PANAL_PROFILE := production
prod-single: $(VENV)/.base ## start production with one worker, for comparison
	@exec $(BIN)/sanic server:app --host=0.0.0.0 --port=$(PORT) --workers=1

# The key goes through the environment: every user of the machine can read a command line.
verify: export PANAL_API_KEY := $(KEY)
verify: $(VENV)/.base ## check a running installation (URL=… KEY=… WATCH=5m RATE=1600 DURATION=60s OPS=100 SEND=numbers)
	@test -n "$(URL)" || { echo "make verify URL=https://panal.example.com KEY=… says where, and with which API key" >&2; exit 2; }
	@exec $(BIN)/python -m tools.verify --url=$(URL) $(if $(WATCH),--watch=$(WATCH)) $(if $(RATE),--rate=$(RATE)) \
		$(if $(DURATION),--duration=$(DURATION)) $(if $(OPS),--ops=$(OPS)) $(if $(SEND),--send=$(SEND))

reload: $(VENV)/.base ## replace the workers one by one; no request fails (PANAL_DATA_DIR of the running one)
	@exec $(BIN)/python -m services.supervisor.control reload

scale: $(VENV)/.base ## change the number of workers within the plan (N=4, PANAL_DATA_DIR of the running one)
	@exec $(BIN)/python -m services.supervisor.control scale $(N)

install: $(VENV)/.base ## install only what production needs

test: ready ## run every test: many side by side, then those that measure time (ARGS="-k …", TEST_PROCESSES=4)
	@exec $(BIN)/python -m tests.run $(ARGS)

ready: $(VENV)/.test $(NODE_CLIENTS) chromium test-tools ## install what the tests need, and run none

screenshots: $(VENV)/.test chromium ## take pictures of every console page, light and dark, narrow and wide (FOLDER=screenshots)
	@exec $(BIN)/python -m tests.browser.screenshots $(FOLDER)

# Debian's own browser: a build machine may not reach the host from which Playwright downloads one.
chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && { echo "Installing Chromium …" && \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
		echo "No Chromium here: the browser tests are skipped (Debian: apt-get install chromium)." >&2; }

# faketime sets the clock of one process; PHP runs a receiver of the documentation. Without them their tests are skipped.
test-tools: | $(if $(filter ready test,$(MAKECMDGOALS)),chromium)
	@{ command -v faketime && command -v php; } >/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && { echo "Installing faketime and PHP …" && \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends faketime php-cli \
		>/dev/null; } || echo "No faketime or no PHP here: their tests are skipped (apt-get install faketime php-cli)." >&2; }

# The table is printed even when a case fails: the others have their rows.
chaos: export CHAOS_RESULTS ?= build/chaos.jsonl
chaos: $(VENV)/.test test-tools ## run the chaos tests (kills, stalls, outages under load) and put the table into docs/reliability.md (CHAOS_REQUESTS= …)
	@rm -f $(CHAOS_RESULTS)
	@$(BIN)/python -m pytest tests/chaos -s $(ARGS); code=$$?; $(BIN)/python -m tests.chaos.report $(CHAOS_RESULTS) && exit $$code

unit: $(VENV)/.test ## run the fast tests alone
	@exec $(BIN)/python -m pytest tests/unit $(ARGS)

# The peers need packages: Python's go into .venv, Node's into benchmarks/peers/express.
bench: $(VENV)/.bench ## measure Panal beside its peers, in under 10 minutes (ARGS="--full", "--workers 4" …)
	@exec $(BIN)/python -m benchmarks $(ARGS)

bench-m0: $(VENV)/.bench ## measure Panal behind a model of a free Atlas cluster (ARGS="--budget 40 --seconds 60")
	@exec $(BIN)/python -m benchmarks.m0 $(ARGS)

lint: $(VENV)/.lint ## run ruff and mypy (strict)
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy $(wildcard config services blueprints tools)

format: $(VENV)/.lint ## format the code
	$(BIN)/ruff check --fix --exit-zero $(CODE)
	$(BIN)/ruff format $(CODE)

# pip's own settings choose the index; its address stays out of the file. UPGRADE=1 takes the newest versions that fit.
lock: export CUSTOM_COMPILE_COMMAND := make lock
lock: $(VENV)/.lock ## pin every package of production with its hashes: deploy/requirements.lock (UPGRADE=1)
	@$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-trusted-host \
		--no-emit-find-links --no-emit-options --resolver=backtracking $(if $(UPGRADE),--upgrade) \
		--output-file=deploy/requirements.lock pyproject.toml

clean: ## remove the virtual environment and caches; ./data stays
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp file for each set of packages: nothing is installed again until pyproject.toml changes, and a failed
# installation starts over. The conditions let pip and apt run one after the other under `make --jobs lint ready`.
$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "Panal needs Python 3.11, 3.12 or 3.13 (PYTHON=/path/to/python3.12 make …)" >&2; exit 1; }
	@echo "Preparing $(VENV) with $$($(PYTHON) --version) …"
	@$(PYTHON) -m venv --clear $(VENV) && touch $@

$(VENV)/.base: pyproject.toml | $(VENV)/.made
	@echo "Installing packages …"
	@$(PIP) -e . && touch $@

$(VENV)/.embedded: pyproject.toml | $(VENV)/.made
	@echo "Installing packages …"
	@$(PIP) -e '.[embedded]' && touch $@ $(VENV)/.base

$(VENV)/.test: pyproject.toml | $(VENV)/.made
	@echo "Installing packages, with those of the tests …"
	@$(PIP) -e '.[embedded,test,clients]' && touch $@ $(VENV)/.embedded $(VENV)/.base

$(NODE_CLIENTS): tests/clients/node/package-lock.json
	@command -v npm >/dev/null || { echo "make test needs Node 20 or later with npm (Debian: apt-get install nodejs npm)" >&2; exit 1; }
	@echo "Installing the JavaScript clients of the Cloud API …"
	@cd tests/clients/node && npm ci --ignore-scripts --no-audit --no-fund --silent && touch node_modules/.package-lock.json

$(VENV)/.bench: pyproject.toml | $(VENV)/.made
	@echo "Installing packages, with those of the peers …"
	@$(PIP) -e '.[embedded,bench]' && touch $@ $(VENV)/.embedded $(VENV)/.base

$(VENV)/.lock: pyproject.toml | $(VENV)/.made
	@echo "Installing packages, with those that pin others …"
	@$(PIP) -e '.[lock]' && touch $@ $(VENV)/.base

# mypy reads the types of imported packages, so it needs them, too.
$(VENV)/.lint: pyproject.toml | $(VENV)/.made $(if $(filter ready test,$(MAKECMDGOALS)),$(VENV)/.test)
	@echo "Installing packages, with those of the linters …"
	@$(PIP) -e '.[lint]' && touch $@ $(VENV)/.base
