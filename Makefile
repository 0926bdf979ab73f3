# make demo     see it work: trains for two and a half minutes, writes runs/demo/report.html
# make test     install what the tests need and run them
# make check    format, lint, types, import layers, freshness of the documentation; runs no tests
# make slow     the tests that take long
# make fuzz     damaged and odd input through every command and estimator, for MINUTES=10
# make numbers  what is missing in docs/tables at the budget of an hour a row: days in the background, resumed where it was stopped
# make bounds   the quick tests with the oldest and with the newest versions that pyproject.toml admits, in environments of their own
# make docs     write what the documentation says of the code, and build all of it as a site: site/index.html
# make setup format bench clean

.DEFAULT_GOAL := demo
.PHONY: setup demo test check slow fuzz bounds numbers format docs bench clean

# The first Python that is new enough; PYTHON=... chooses another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
RUN := $(VENV)/.installed
DEV := $(VENV)/.installed-dev
DOCS := $(VENV)/.installed-docs
DEMO := runs/demo
CODE := untaught tests docs benchmarks examples

# Where there is no NVIDIA driver, PyTorch's CPU builds: a tenth of the download. Where their index is out of reach, the default one.
CPU_TORCH := --index-url https://download.pytorch.org/whl/cpu --timeout 10 --retries 0

setup: $(DEV)

demo: $(RUN)
	$(BIN)/untaught train pgn --data balls --minutes 2.5 --out $(DEMO) --replace
	$(BIN)/untaught evaluate $(DEMO) --measure prediction rollout decode
	@test -s $(DEMO)/report.html
	@echo "The report: $(CURDIR)/$(DEMO)/report.html"
	@echo "To explore it: $(BIN)/pip install -c constraints.txt -e '.[explorer]' && $(BIN)/untaught explore $(DEMO)"

# One thread a worker: small tensors are slower on two threads than on one. Assertions are plain, since rewriting them takes
# every worker as long as importing the package; what failed runs again and shows its values.
test: $(DEV)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --assert=plain || \
	{ $(BIN)/python -m pytest --last-failed --last-failed-no-failures none; exit 1; }

check: $(DEV)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check
	$(BIN)/python examples/generate.py --check

slow: $(DEV)
	$(BIN)/python -m pytest -m slow

# FIRST is the number of the first case; another one draws other cases.
MINUTES ?= 10
FIRST ?= 0
fuzz: $(DEV)
	PYTHONPATH=tests $(BIN)/python -m fuzz --first $(FIRST) --minutes $(MINUTES)

# Development tools stay those of constraints.txt; what the package itself needs is the oldest, or the newest that pip finds.
bounds: $(DEV)
	$(BIN)/python tests/bounds.py >$(VENV)/oldest.txt
	: >$(VENV)/newest.txt
	for end in oldest newest; do \
	  $(PYTHON) -m venv --clear $(VENV)/$$end && \
	  { $(VENV)/$$end/bin/python -m pip install -q $(CPU_TORCH) -c $(VENV)/$$end.txt torch 2>/dev/null || true; } && \
	  $(VENV)/$$end/bin/python -m pip install -q --upgrade -c $(VENV)/$$end.txt -e '.[dev]' && \
	  OMP_NUM_THREADS=1 $(VENV)/$$end/bin/python -m pytest -n auto --maxprocesses 4 || exit 1; done

# JOBS rows at a time, one thread each, at low priority; beside other work make JOBS=1 numbers.
JOBS ?= 2
numbers: $(RUN)
	$(BIN)/untaught tables --all --budget hour --jobs $(JOBS)

format: $(DEV)
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

# Notebooks are executed for the site, on one thread, each in about a minute; in the repository only those whose scripts changed.
docs: $(DOCS)
	$(BIN)/python docs/generate.py
	$(BIN)/python examples/generate.py
	NO_MKDOCS_2_WARNING=1 EXECUTE_NOTEBOOKS=true $(BIN)/python -m mkdocs build --strict --quiet
	@echo "The site: $(CURDIR)/site/index.html"

bench: $(DEV)
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

clean:
	rm -rf build dist site untaught.egg-info .pytest_cache .ruff_cache .import_linter_cache
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name one by PYTHON=/path/to/python3" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.torch: constraints.txt | $(BIN)/python
	if command -v nvidia-smi >/dev/null 2>&1; then $(PIP) install -q -c constraints.txt torch; \
	else $(PIP) install -q $(CPU_TORCH) -c constraints.txt torch 2>/dev/null || $(PIP) install -q -c constraints.txt torch; fi
	touch $@

$(RUN): pyproject.toml constraints.txt $(VENV)/.torch
	$(PIP) install -q -c constraints.txt -e .
	touch $@

$(DEV): $(RUN)
	$(PIP) install -q -c constraints.txt -e '.[dev]'
	touch $@

$(DOCS): $(DEV)
	$(PIP) install -q -c constraints.txt -e '.[docs]'
	touch $@
