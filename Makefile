# `make` alone lists what there is.
PYTHON ?= python3
BIN := .venv/bin
PLUGINS := $(wildcard plugins/ensemble-*)
EDITABLE := -e '.[test]' $(foreach plugin,$(PLUGINS),-e $(plugin))
# What is imported is compiled then: to compile all of it takes as long as to install it.
INSTALL := $(BIN)/python -m pip install --quiet --no-compile
DEMO := examples/brahms-volkslied.png

.PHONY: help setup demo test test-all lint docs bench bench-recognition packages clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/ready ## Make .venv with the core and every plugin, editable
.venv/ready: pyproject.toml $(wildcard plugins/*/pyproject.toml)
	$(PYTHON) -m venv .venv
	$(INSTALL) --upgrade pip hatchling editables
	$(INSTALL) --no-build-isolation $(EDITABLE)
	@touch $@

.venv/dev: .venv/ready requirements-dev.txt
	$(INSTALL) -r requirements-dev.txt
	@touch $@

demo: .venv/ready ## Read a real page; leaves MusicXML, MIDI and a web page in demo/
	$(BIN)/ensemble convert $(DEMO) --to musicxml,midi,html --output demo/ --overwrite --no-cache
	@echo "Open demo/$(basename $(notdir $(DEMO))).html in a browser: the page, what was read, and playback."

TEST := $(BIN)/python -m pytest -n auto --dist worksteal

test: .venv/dev ## Run the tests
	$(TEST) -m "not long"

test-all: .venv/dev ## Run all tests, those that take minutes too, with branch coverage of the core
	$(TEST) --cov --cov-report=term:skip-covered --cov-fail-under=90

lint: .venv/dev ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p ensemble_core $(foreach plugin,$(PLUGINS),-p $(subst -,_,$(notdir $(plugin))))
	$(BIN)/lint-imports

packages: .venv/dev ## Build every distribution and install the wheels into a clean environment
	$(BIN)/python tools/check_packages.py

docs: .venv/dev ## Build the documentation into site/
	$(BIN)/mkdocs build --strict

bench: .venv/dev ## Measure what the figures in docs/ say (minutes)
	$(BIN)/python benchmarks/run_all.py

bench-recognition: .venv/dev ## Build the held-out pages and read them with sightread (hours)
	nice $(BIN)/python benchmarks/recognition_set.py --folder build/recognition
	nice $(BIN)/ensemble evaluate build/recognition/pages.json --recognizer sightread \
	  --output build/recognition-sightread --resume
	nice $(BIN)/ensemble evaluate build/recognition/parts.json --recognizer sightread \
	  --output build/parts-sightread --resume

clean: ## Remove what the targets above made
	rm -rf .venv demo dist site .coverage* .mypy_cache .ruff_cache .pytest_cache
