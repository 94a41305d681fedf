# make demo    set everything up, record the demo runs, serve TensorBoard on them
# make test    set everything up, then every check and every test
# make check   formatting, lint, types, import rules, the front end's own checks and tests
# make bench   reading and analysing traces, measured
# make clean   remove everything that was built

PYTHON ?= python3
HOST ?= localhost
PORT ?= 6006
# The log directory of the demo.
RUNS ?= runs
# The models of the demo, as in: make demo MODELS=muse,llama2. All of them, where it is empty.
MODELS ?=
# The runs that the demo opens with; the first is the base.
FIRST_SEEN := stable-diffusion/tiny/math,stable-diffusion/tiny/flash
# Arguments for pytest, as in: make test PYTEST_ARGS="-k trace"
PYTEST_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.genscope-installed
# The other profiler plugin, in a folder of its own: a test serves both side by side, and the demo
# does not get its tab.
PEER := $(VENV)/torch-tb-profiler
PEER_INSTALLED := $(PEER)/.installed
NODE_MODULES := frontend/node_modules/.package-lock.json
RECORDED = $(RUNS)/.recorded
# mypy refuses a folder in which there is no Python file yet.
TYPED := $(sort $(foreach portion,collectors plugin samples,\
	$(if $(shell find $(portion) -name '*.py' -print -quit),$(portion))))

export OMP_NUM_THREADS := 1

.PHONY: demo test check lint types imports frontend bench clean bundle chromium

demo: bundle $(RECORDED)
	@echo "Open http://$(HOST):$(PORT)/#genscope&gs.page=operators&gs.runs=$(FIRST_SEEN)"
	$(BIN)/tensorboard --logdir $(RUNS) --host $(HOST) --port $(PORT)

test: check chromium $(PEER_INSTALLED)
	$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

check: lint types imports frontend

lint: $(INSTALLED)
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: $(INSTALLED)
	$(BIN)/mypy $(TYPED)

imports: $(INSTALLED)
	$(BIN)/lint-imports

frontend: $(NODE_MODULES)
	cd frontend && npm run check

bench: $(INSTALLED)
	$(BIN)/python -m tests.benchmarks.run
	$(BIN)/python -m tests.benchmarks.plugin

clean:
	rm -rf $(VENV) frontend/node_modules plugin/genscope/tensorboard/static runs dist build
	rm -rf .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Installing builds the front end as well (hatch_build.py); `bundle` renews it after a change.
$(INSTALLED): pyproject.toml hatch_build.py constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -c constraints.txt -e '.[dev]'
	touch $@

$(PEER_INSTALLED): constraints.txt | $(INSTALLED)
	rm -rf $(PEER)
	$(BIN)/python -m pip install -c constraints.txt --no-deps --target $(PEER) \
	  torch-tb-profiler pandas python-dateutil six tzdata
	touch $@

bundle: $(INSTALLED)
	@$(BIN)/python hatch_build.py

$(NODE_MODULES): frontend/package-lock.json | bundle
	cd frontend && npm ci
	touch $@

$(RECORDED): | bundle
	$(BIN)/python -m genscope.suite.demo -o $(RUNS) $(if $(MODELS),--models $(MODELS))
	touch $@

# The page tests drive a real browser. On Debian, root can install it.
chromium:
	@for name in $$CHROMIUM chromium chromium-browser google-chrome; do \
	  command -v $$name >/dev/null && exit 0; \
	done; \
	if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium; \
	elif [ "$$CI" = true ]; then \
	  echo "make: no Chromium on PATH, and the page tests need it" >&2; exit 1; \
	else \
	  echo "make: no Chromium on PATH: the page tests will be skipped" >&2; \
	fi
