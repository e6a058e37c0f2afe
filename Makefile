# What can be done with a clone: each target installs what it needs and works again and again.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

TARGET := $(or $(CARGO_TARGET_DIR),target)
DEMO_SECONDS ?= 20
DEMO_RATE ?= 500
FAULT_RUNS ?= 20
LONG_ARRIVALS ?= 100000
LONG_SEEDS ?= 100000
API_EXAMPLES ?= 100
API_SEED ?= 8
BENCH_SUSTAINED ?= 600
BENCH_TAIL ?= 1000000
FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= frame message tlv jpos moov token headers

NEXTEST_VERSION := 0.9.143
DENY_VERSION := 0.20.2
JOSE_VERSION := 6.2.17
PLAYWRIGHT_VERSION := 1.65.1
AXE_VERSION := 4.14.1
FUZZ_VERSION := 0.13.2

VENV := $(TARGET)/venv
# The independent ISO 8583 client of the tests, and one of their partners that encrypt, run in this
# Python; the other partner in Node, with the packages of this folder.
export CARDSWITCH_TEST_PYTHON := $(abspath $(VENV))/bin/python
NODE_PACKAGES := $(TARGET)/node
NODE_SET := jose-$(JOSE_VERSION)-playwright-$(PLAYWRIGHT_VERSION)-axe-$(AXE_VERSION)
export CARDSWITCH_TEST_NODE_PACKAGES := $(abspath $(NODE_PACKAGES))

# $(call apt,packages,what to say where there is no apt): to standard error, standard output is
# for results.
define apt
	sudo=""; \
	if [ "$$(id -u)" != 0 ]; then \
		sudo="sudo"; [ -t 0 ] || sudo="sudo -n"; \
	fi; \
	if command -v apt-get >/dev/null && { [ -z "$$sudo" ] || command -v sudo >/dev/null; }; then \
		{ $$sudo apt-get update -q && \
		$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
			--no-install-recommends $(1) </dev/null; } >&2; \
	else \
		echo "$(2)" >&2; exit 1; \
	fi
endef

.PHONY: help
help: ## This list.
	@echo "Cardswitch: a real-time ISO 8583 issuer host. Targets:"
	@awk -F ':[^#]*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' \
		$(firstword $(MAKEFILE_LIST))
	@echo
	@echo "Options of demo: DEMO_SECONDS=$(DEMO_SECONDS) (0: serve until Ctrl-C)" \
		"DEMO_RATE=$(DEMO_RATE) (messages a second)"
	@echo "Options of test-api: API_EXAMPLES=$(API_EXAMPLES) API_SEED=$(API_SEED)"
	@echo "Options of test-long: LONG_ARRIVALS=$(LONG_ARRIVALS) LONG_SEEDS=$(LONG_SEEDS)"
	@echo "Options of fuzz: FUZZ_SECONDS=$(FUZZ_SECONDS) (of each) FUZZ_TARGETS=\"$(FUZZ_TARGETS)\""
	@echo "Options of faults: FAULT_RUNS=$(FAULT_RUNS) (of each kind) FAULT_KINDS= (names, or" \
		"beginnings of names) FAULT_SEED= FAULT_WORKERS= (runs at a time) FAULT_SOAK_SECONDS="

.PHONY: demo
demo: setup-compiler setup-postgres ## Build, start the switch on a private PostgreSQL, run traffic, check the books.
	@cargo build --release --locked -p switch-server -p simulators
	@$(TARGET)/release/cardswitch demo --seconds $(DEMO_SECONDS) --rate $(DEMO_RATE)

# BENCH_RUNS, BENCH_SECONDS, BENCH_CARDS and BENCH_PARTNERS change a bench; BENCH_DIR is where its
# data and its report go.
.PHONY: bench
bench: setup-bench ## Measure the switch against a conventional server and the machine's limits.
	@$(TARGET)/release/cardswitch-bench

.PHONY: bench-quick
bench-quick: setup-bench ## The same in a few minutes, for a look and not for a figure.
	@$(TARGET)/release/cardswitch-bench --quick

.PHONY: bench-saturation
bench-saturation: setup-bench ## The switch alone, as fast as it goes.
	@$(TARGET)/release/cardswitch-bench --saturation

.PHONY: bench-latency
bench-latency: setup-bench ## The switch at 1,000 a second beside the commit of one small row.
	@$(TARGET)/release/cardswitch-bench --latency

.PHONY: bench-verified
bench-verified: setup-bench ## What chip, PIN and authentication code cost the switch, beside a plain purchase.
	@$(TARGET)/release/cardswitch-bench --verified

.PHONY: bench-api-flood
bench-api-flood: setup-bench ## What a flood of the management API costs authorizations, by turns.
	@$(TARGET)/release/cardswitch-bench --api-flood

.PHONY: bench-one-partner
bench-one-partner: setup-bench ## What it costs that all traffic is one partner's, by turns.
	@$(TARGET)/release/cardswitch-bench --one-partner

.PHONY: bench-sustained
bench-sustained: setup-bench ## BENCH_SUSTAINED seconds at 80 % of saturation.
	@$(TARGET)/release/cardswitch-bench --sustained $(BENCH_SUSTAINED)

.PHONY: bench-restart
bench-restart: setup-bench ## A start over a tail of BENCH_TAIL journalled authorizations.
	@$(TARGET)/release/cardswitch-bench --restart $(BENCH_TAIL)

# Cargo runs a bench in its package's folder.
.PHONY: bench-codec
bench-codec: setup-compiler ## Reading and writing one message, beside a plain loop and two other codecs.
	@BENCH_DIR=$(abspath $(TARGET))/bench cargo bench --locked --quiet -p codecs --bench codec

.PHONY: bench-criterion
bench-criterion: setup-compiler ## The codec's parts under criterion, against the last run.
	@cargo bench --locked --quiet -p codecs --bench criterion

# The counts of another architecture, or of another C library, differ: see the bench's own words.
.PHONY: bench-instructions
bench-instructions: setup-compiler setup-valgrind ## Count instructions of codec and engine; fail on a rise of 5 %.
	@BENCH_DIR=$(abspath $(TARGET))/bench cargo bench --locked --quiet -p codecs --bench instructions
	@BENCH_DIR=$(abspath $(TARGET))/bench cargo bench --locked --quiet -p switch-engine --bench instructions

.PHONY: setup-bench
setup-bench: setup-compiler setup-postgres
	@cargo build --release --locked -p switch-server -p load-tests

# One build of everything first: the tests find the programs they start beside each other, and
# nothing is compiled twice.
.PHONY: test
test: setup-compiler setup-postgres setup-nextest setup-python setup-node setup-tshark setup-chromium ## Run every test, on a throw-away PostgreSQL.
	cargo build --workspace --all-targets --locked
	cargo test --workspace --doc --locked --quiet
	$(TARGET)/debug/with-postgres cargo nextest run --workspace --locked

# As much more as is worth an hour and not a wait: see the tests for what each number is of.
.PHONY: test-long
test-long: setup-compiler setup-postgres setup-nextest ## The random runs of the tests at length, LONG_ARRIVALS and LONG_SEEDS.
	cargo build --workspace --all-targets --locked
	MODEL_ARRIVALS=$(LONG_ARRIVALS) SIM_SEEDS=$(LONG_SEEDS) $(TARGET)/debug/with-postgres \
		cargo nextest run --workspace --locked --profile long \
		-E 'binary(growth) & test(against_model) | binary(simulation) & test(seeds_)'

# `make test` draws a few requests of each operation, from the same seed.
.PHONY: test-api
test-api: setup-compiler setup-postgres setup-nextest setup-python ## Requests drawn from the OpenAPI documents, API_EXAMPLES of each operation.
	cargo build --workspace --all-targets --locked
	CARDSWITCH_TEST_API_EXAMPLES=$(API_EXAMPLES) CARDSWITCH_TEST_API_SEED=$(API_SEED) \
		CARDSWITCH_TEST_API_PHASES=examples,coverage,fuzzing,stateful \
		$(TARGET)/debug/with-postgres cargo nextest run --workspace --locked --profile api \
		-E 'package(switch-server) & test(schemathesis)'

# Pictures of every page at both widths stay in $(TARGET)/panel.
.PHONY: test-panel
test-panel: setup-compiler setup-postgres setup-nextest setup-node setup-chromium ## The administration panel in a real browser.
	cargo build --workspace --all-targets --locked
	$(TARGET)/debug/with-postgres cargo nextest run --workspace --locked \
		-E 'package(switch-server) & test(api::panel::)'

# Built apart from everything else: with fail points and with bugs that the checker must catch.
.PHONY: faults
faults: setup-compiler setup-postgres ## Kill, pause and cut a switch under load, FAULT_RUNS times each kind, and check.
	@cargo build --locked --target-dir $(TARGET)/faults -p switch-server -p load-tests-faults \
		--features switch-server/fail-points,switch-server/deliberate-bugs
	@$(TARGET)/faults/debug/cardswitch-faults --runs $(FAULT_RUNS) --dir $(TARGET)/faults/runs

# What is found is kept in the build directory; what broke something, in `artifacts` beside the
# target's own corpus.
.PHONY: fuzz
fuzz: setup-compiler setup-fuzz ## Fuzz the codecs and encrypted requests, FUZZ_SECONDS each of FUZZ_TARGETS.
	@for target in $(FUZZ_TARGETS); do \
		found=(*/fuzz/targets/$$target.rs); \
		folder=$${found[0]%/targets/*}; \
		mkdir -p $(TARGET)/fuzz/corpus/$$target; \
		cargo +nightly fuzz run --fuzz-dir $$folder --target-dir $(TARGET)/fuzz $$target \
			$(TARGET)/fuzz/corpus/$$target $$folder/corpus/$$target -- \
			-max_total_time=$(FUZZ_SECONDS) -max_len=4096 -print_final_stats=1; \
	done

.PHONY: lint
lint: setup-compiler setup-deny ## Formatting, clippy with warnings denied, bans, licences and sources.
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo deny --locked check --hide-inclusion-graph bans licenses sources

.PHONY: fmt
fmt: ## Format the code.
	cargo fmt --all

.PHONY: setup-compiler
setup-compiler: ## Install a C compiler and linker if there is none.
	@command -v cc >/dev/null || { $(call apt,build-essential,no C compiler: install one); }

.PHONY: setup-postgres
setup-postgres: ## Install PostgreSQL's server programs if there are none.
	@for initdb in "$${CARDSWITCH_PG_BIN:-/nonexistent}/initdb" "$$(command -v initdb || true)" \
		/usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb /usr/libexec/postgresql*/initdb \
		/usr/local/pgsql/bin/initdb /opt/homebrew/opt/postgresql@*/bin/initdb \
		/usr/local/opt/postgresql@*/bin/initdb; do \
		if [ -x "$$initdb" ]; then exit 0; fi; \
	done; \
	$(call apt,postgresql,no PostgreSQL: install its server (dnf install postgresql-server; apk add postgresql; brew install postgresql) or set CARDSWITCH_PG_BIN to where initdb is)

.PHONY: setup-valgrind
setup-valgrind: ## Install valgrind if there is none.
	@command -v valgrind >/dev/null || { $(call apt,valgrind,no valgrind: install it); }

.PHONY: setup-tshark
setup-tshark: ## Install tshark if there is none: it reads what the codecs wrote, from a file.
	@command -v tshark >/dev/null || { $(call apt,tshark,no tshark: install it (Wireshark)); }

.PHONY: setup-chromium
setup-chromium: ## Install Chromium if there is none: it opens the page on which the API is tried.
	@command -v "$${CARDSWITCH_TEST_CHROMIUM:-chromium}" >/dev/null || { \
		$(call apt,chromium,no Chromium: install it or set CARDSWITCH_TEST_CHROMIUM to a browser like it); }

.PHONY: setup-nextest
setup-nextest: ## Install cargo-nextest if it is missing.
	@cargo nextest --version >/dev/null 2>&1 || cargo install --locked cargo-nextest \
		--version $(NEXTEST_VERSION) --no-default-features --features default-no-update

.PHONY: setup-deny
setup-deny: ## Install cargo-deny if it is missing.
	@cargo deny --version >/dev/null 2>&1 || \
		cargo install --locked cargo-deny --version $(DENY_VERSION)

.PHONY: setup-fuzz
setup-fuzz: ## Install cargo-fuzz if it is missing; it needs a nightly compiler.
	@cargo +nightly --version >/dev/null 2>&1 || { \
		echo "no nightly compiler, which the fuzzer needs: rustup toolchain install nightly" >&2; \
		exit 1; }
	@cargo fuzz --version >/dev/null 2>&1 || \
		cargo install --locked cargo-fuzz --version $(FUZZ_VERSION)

# Versions, and what every file of them has to hash to, stand there; other contents, another folder.
PYTHON_PACKAGES := switch/server/tests/requirements.txt
PYTHON_READY := $(VENV)/ready-$(firstword $(shell cksum <$(PYTHON_PACKAGES)))

.PHONY: setup-python
setup-python: $(PYTHON_READY) ## Make a Python environment with pyiso8583, jwcrypto and schemathesis.

$(PYTHON_READY):
	@rm -rf $(VENV) && mkdir -p $(TARGET)
	@python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || { \
		$(call apt,python3 python3-venv,no Python from 3.11 with venv and pip: install it); }
	@python3 -m venv $(VENV) >&2
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --only-binary :all: -r $(PYTHON_PACKAGES) >&2
	@touch $@

.PHONY: setup-node
setup-node: $(NODE_PACKAGES)/$(NODE_SET) ## Install Node if there is none, and the packages of the tests.

$(NODE_PACKAGES)/$(NODE_SET):
	@rm -rf $(NODE_PACKAGES) && mkdir -p $(NODE_PACKAGES)
	@command -v node >/dev/null && command -v npm >/dev/null || { \
		$(call apt,nodejs npm,no Node with npm: install it); }
	@npm install --prefix $(NODE_PACKAGES) --silent --no-audit --no-fund --ignore-scripts \
		jose@$(JOSE_VERSION) playwright-core@$(PLAYWRIGHT_VERSION) axe-core@$(AXE_VERSION) >&2
	@touch $@
