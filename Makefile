# Everything for development. `make` alone prints the list of targets.
# The launcher gets PORT, DATA_DIR and PHOTOS through the environment, so that
# paths may contain any character.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EMBEDDED := $(BIN)/python -m clipsite.embedded
# The lock files: the ranges of requirements*.txt as exact versions with hashes.
LOCK := requirements/lock
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links $(ARGS)
ARGS ?=
# One process for each core, each with its own database and workers. The order of the files is
# that of tests/conftest.py, the longest first.
ALL_TESTS := --numprocesses auto --dist loadfile --no-loadscope-reorder
QUICK_TESTS := $(ALL_TESTS) --quiet -m "not browser and not demo and not worker and not slow"
TESTS := $(EMBEDDED) exec --temporary -- $(BIN)/python -m pytest
NODE := PATH="$(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$$PATH"

export PORT DATA_DIR PHOTOS
# Dozens of processes begin during the tests: compiled once, they begin sooner.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo check test slow rights fuzz faults lint style types scripts deployment quick \
	bench manage setup lock audit browser clean

help:  ## print this list
	@echo "make TARGET"
	@sed -n 's/^\([a-z]*\):.*## /  \1\t/p' Makefile | expand -t 12

demo: $(VENV)/.installed  ## run Clipsite here (PORT=8000 DATA_DIR=data PHOTOS=folder to import)
	@exec $(EMBEDDED) demo

check: $(VENV)/.installed-dev node_modules/.installed  ## lint and the quick tests: after each change
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint quick

test: $(VENV)/.installed-dev browser  ## run all tests (ARGS="tests/web/test_x.py -k name" for some)
	@exec $(TESTS) $(or $(ARGS),$(ALL_TESTS))

slow: $(VENV)/.installed-dev browser  ## measure which tests `make check` leaves out (tests/slow.txt)
	@exec $(TESTS) $(ALL_TESTS) --note-slow

rights: $(VENV)/.installed-dev  ## who sees what, in random worlds (ARGS="--answers 100000 --seed 1")
	@exec $(EMBEDDED) exec --temporary -- $(BIN)/python -m pytest --quiet --capture=no \
		tests/sharing/test_rights_property.py $(or $(ARGS),--answers 100000)

lint: style types scripts deployment  ## style, types, architecture, scripts, migrations, deployment files

style: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	DEBUG=1 $(BIN)/mypy
	$(BIN)/lint-imports

scripts: node_modules/.installed
	$(NODE) tsc --project jsconfig.json
	$(NODE) eslint static/js tests/javascript eslint.config.js

deployment: $(VENV)/.installed-dev
	$(EMBEDDED) exec --temporary -- $(BIN)/python manage.py makemigrations --check --dry-run
	PATH="$(CURDIR)/$(BIN):$$PATH" sh deploy/lint.sh

quick: $(VENV)/.installed-dev
	@$(TESTS) $(or $(ARGS),$(QUICK_TESTS))

bench: $(VENV)/.installed-dev  ## measure against peers (ARGS= for the benchmark)
	@exec $(EMBEDDED) exec --temporary -- $(BIN)/python -m benchmarks $(ARGS)

fuzz: $(VENV)/.installed-dev  ## hostile files and requests (ARGS="--seed 1 --files 10000 --requests 5000")
	@exec $(EMBEDDED) exec --temporary -- $(BIN)/python -m tests.fuzz $(ARGS)

faults: $(VENV)/.installed-dev  ## kills and outages under load (ARGS="--seed 1 --faults 1000 --uploads 4000")
	@exec $(BIN)/python -m tests.faults $(ARGS)

manage: $(VENV)/.installed  ## Django's manage.py on the demo's data (ARGS="createsuperuser")
	@exec $(EMBEDDED) exec -- $(BIN)/python manage.py $(ARGS)

setup: $(VENV)/.installed-dev node_modules/.installed browser  ## install all that development needs

lock: $(VENV)/.installed-dev  ## write requirements/lock/ anew (ARGS=--upgrade for newer versions)
	$(COMPILE) requirements-dev.txt --output-file $(LOCK)/dev.txt
	$(COMPILE) requirements.txt --constraint $(LOCK)/dev.txt --output-file $(LOCK)/all.txt
	$(COMPILE) requirements/web.txt --constraint $(LOCK)/dev.txt --output-file $(LOCK)/web.txt
	$(COMPILE) requirements/web.txt requirements/map.txt --constraint $(LOCK)/dev.txt \
		--output-file $(LOCK)/media.txt
	$(COMPILE) requirements/worker.txt --constraint $(LOCK)/dev.txt --output-file $(LOCK)/worker.txt

audit: $(VENV)/.installed-dev  ## ask for known weaknesses of what is installed (needs a network)
	$(BIN)/uv tool run pip-audit@2.10.1 --require-hashes --disable-pip --requirement $(LOCK)/dev.txt $(ARGS)

clean:  ## delete what was installed and cached; pictures and accounts stay
	rm -rf $(VENV) node_modules staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find clipsite gallery tests -name __pycache__ -prune -exec rm -rf {} +

# --- Prerequisites of the targets ------------------------------------------------

# The stamps are written last, so that an interrupted installation is repeated.
$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Clipsite needs Python 3.11 or newer: install it, or name it with PYTHON=."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python lacks its venv module: install the package python3-venv (apt-get install python3-venv)."; exit 1; }
	@echo "Creating the virtual environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.created $(LOCK)/all.txt
	@echo "Installing Python packages, which takes some minutes the first time …"
	@$(call pip_install,$(LOCK)/all.txt)
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.created $(LOCK)/dev.txt
	@echo "Installing Python packages for development …"
	@$(call pip_install,$(LOCK)/dev.txt)
	@touch $@ $(VENV)/.installed

# The tools that check the scripts. Node and npm come from a Python package.
node_modules/.installed: $(VENV)/.installed-dev package.json package-lock.json
	@echo "Installing what checks the scripts …"
	@$(NODE) npm ci --silent
	@touch $@

# Show progress bars on a terminal, but not in a log.
pip_install = test -t 1 || quiet=--quiet; \
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes $$quiet -r $(1)

browser: $(VENV)/.installed-dev
	@sh tests/browser/install.sh $(BIN)/playwright
