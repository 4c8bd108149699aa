# make run   a node with real records in it, on http://127.0.0.1:8765
# make test  everything that has to pass
# make help  the rest
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
export CARGO_TERM_COLOR ?= auto
CARGO_HOME ?= $(HOME)/.cargo
export PATH := $(CARGO_HOME)/bin:$(PATH)
VENV := .venv
LISTEN ?= 127.0.0.1:8765

.PHONY: help run demo-clean test fmt lint deny docs nextest smoke clients misp browser deps bench bench-match misp-bench taxii-bench pattern-bench screenshots engines torture torture-short fuzz growth scaling

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: ## Build, make a demo node with real records, serve it
	@scripts/need.sh cc
	cargo build --release --locked -p manara
	scripts/demo.sh demo $(LISTEN)

demo-clean: ## Remove the demo node
	rm -rf demo

test: deps fmt lint deny docs nextest engines smoke clients misp browser torture-short ## Everything that has to pass
	@echo "all of it passed"

deps: ## Install what the tests need (Debian packages when root, Python packages in .venv, cargo tools)
	@scripts/need.sh tests

fmt: ## Formatting
	cargo fmt --all --check

lint: ## clippy, warnings are errors
	cargo clippy --locked --workspace --all-targets -- -D warnings

deny: ## Licences, bans, sources; advisories where the database can be had
	cargo deny --locked check --hide-inclusion-graph licenses bans sources
	@timeout 60 cargo deny --locked check advisories >/dev/null 2>&1 && echo "advisories: none" || echo "advisories: the database can't be had here, skipped"

docs: ## Documentation, warnings are errors
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --quiet

nextest: ## Tests of the crates (and the binary that the next three try)
	cargo build --locked --workspace
	cargo nextest run --locked --workspace
	cargo test --locked --workspace --doc --quiet

engines: ## The same tests of store, corridor and doors over PostgreSQL (a throw-away server)
	scripts/postgres.sh bash -c 'cargo nextest run --locked -p manara-store -p manara-corridor -p manara-server -p manara-misp -p manara-taxii && \
	  $(VENV)/bin/python tests/misp.py target/debug/manara && \
	  $(VENV)/bin/python tests/taxii.py target/debug/manara && \
	  $(VENV)/bin/python tests/torture.py target/debug/manara --rounds 12 --processes 2 && tests/engines.sh target/debug/manara'

torture-short: ## Fifty crashes, and faults of the disk
	$(VENV)/bin/python tests/torture.py target/debug/manara --rounds 50 --faults

torture: ## A thousand crashes of each engine, and faults of the disk; takes its time
	cargo build --release --locked -p manara
	$(VENV)/bin/python tests/torture.py target/release/manara --rounds 1000 --faults
	scripts/postgres.sh $(VENV)/bin/python tests/torture.py target/release/manara --rounds 200 --processes 2

FUZZ_SECONDS ?= 300
fuzz: ## libFuzzer over readers, values, index files and the scanner (needs a nightly compiler); seeds are the fixtures
	command -v cargo-fuzz >/dev/null || cargo install --locked --quiet cargo-fuzz
	scripts/corpus.sh
	cd fuzz && for target in read observable pattern index scan; do \
	  cargo +nightly fuzz run --release $$target -- -max_total_time=$(FUZZ_SECONDS) -max_len=16384 -timeout=10 -rss_limit_mb=2048; done

smoke: ## The built binary, as a user starts it
	tests/smoke.sh target/debug/manara
	tests/match.sh target/debug/manara
	tests/taxii_client.sh target/debug/manara
	tests/match_report.sh target/debug/manara

clients: ## Other people's programs on our output
	$(VENV)/bin/python tests/clients.py target/debug/manara
	$(VENV)/bin/python tests/stix.py target/debug/manara
	$(VENV)/bin/python tests/taxii.py target/debug/manara

misp: ## PyMISP on the MISP door, and two nodes that synchronise as MISP servers do
	$(VENV)/bin/python tests/misp.py target/debug/manara
	$(VENV)/bin/python tests/sync.py target/debug/manara
	$(VENV)/bin/python tests/examples.py target/debug/manara
	$(VENV)/bin/python tests/pymisp_live.py target/debug/manara

browser: ## The pages in a real browser
	$(VENV)/bin/python tests/browser.py target/debug/manara

screenshots: ## Pictures of the pages in screenshots/
	$(VENV)/bin/python tests/browser.py target/debug/manara --pictures screenshots

bench: growth scaling ## Figures, into docs/BENCHMARKS.md, GROWTH.md and scaling.md
	$(VENV)/bin/python bench/figures.py target/release/manara

bench-match: ## Indicators against logs, beside matchy, ripgrep, grep and vectorscan where they are installed
	cargo build --release --locked -p manara
	cargo build --release --locked -p manara-matching --examples
	python3 bench/match.py target/release/manara $(MATCH)

matching-wheel: ## The matching library with its Python package, as a wheel in target/wheels/
	cargo build --release --locked -p manara-matching-c
	rm -rf target/wheel && cp -r crates/matching-c/python target/wheel
	cp target/release/libmanara_matching_c.so target/wheel/manara_matching/
	$(VENV)/bin/pip wheel --quiet --no-deps --wheel-dir target/wheels target/wheel

pattern-bench: ## Patterns against a stream of observations, beside stix2-matcher where it is installed
	cargo build --release --locked -p manara
	$(VENV)/bin/python bench/pattern.py target/release/manara

taxii-bench: ## A TAXII server with 100,000 objects, beside OASIS' own where it is installed (pip install medallion)
	cargo build --release --locked -p manara
	$(VENV)/bin/python bench/taxii.py --manara target/release/manara $$($(VENV)/bin/python -c 'import medallion; print("--peer medallion")' 2>/dev/null)

misp-bench: ## MISP's API with a million attributes; with a URL and a key the same for a real MISP
	cargo build --release --locked -p manara
	$(VENV)/bin/python bench/misp_api.py target/release/manara

growth: ## How costs grow, from ten thousand to ten million indicators
	cargo build --release --locked -p manara
	$(VENV)/bin/python bench/growth.py target/release/manara

scaling: ## One database with one, two and four processes
	cargo build --release --locked -p manara
	POSTGRES_OPTIONS=" " POSTGRES_FOLDER=/var/tmp scripts/postgres.sh $(VENV)/bin/python bench/scaling.py target/release/manara
