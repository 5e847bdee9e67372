# The project's commands. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
PROTO := livecalls/v1/live_calls.proto
DESCRIPTORS := generated/descriptors/livecalls.binpb
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
GO_MODULE := github.com/livecalls/livecalls/generated/go
PEERS := tests/load/peers/go
TYPESCRIPT := generated/typescript
# What `make breaking` compares the contract with: the last tag, else the commit before proto/ last
# changed.
AGAINST ?= $(or $(shell git describe --tags --abbrev=0 2>/dev/null),$(shell \
    git diff --quiet HEAD -- proto && git log -2 --format=%h -- proto | tail -1 || echo HEAD))

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# Images of containers set it: each of our processes would compile anew all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: $(READY) ## Start everything: PostgreSQL, sample calls, Stream stand-in, server, Envoy (TLS=1 WORKERS=2 EMBEDDED=1 TOKENS=opaque)
	@exec python -m demo run $(if $(filter 1 on true yes,$(TLS)),--tls)

.PHONY: token
token: $(READY) ## Print an access token for the demo: make -s token SCOPES="a b" TTL=60
	@python -m demo token --scopes "$${SCOPES:-}" --ttl "$${TTL:-86400}"

.PHONY: check
check: lint types ## Run the quick checks: style, types, unit tests
	@exec pytest --quiet tests/unit $(ARGS)

# One more than there are cores, for tests also wait.
TEST_PROCESSES = $(shell expr $$(nproc) + 1)

.PHONY: test
test: $(READY) ## Run every test, several at once (ARGS= goes to pytest; ARGS=-n0 runs one after the other)
	@exec pytest --numprocesses=$(TEST_PROCESSES) --maxprocesses=5 --dist=worksteal $(ARGS)

.PHONY: test-stubs
test-stubs: $(READY) ## Test the stubs in every language, and print a table of cases (ARGS= goes to pytest)
	@exec pytest --quiet tests/stubs $(ARGS)

.PHONY: bench
bench: $(READY) .build/loadgen ## Measure against FastAPI and Go (BENCH_SECONDS=1.5 BENCH_ONLY=ours-grpc,idle,soak)
	@python -m tests.load.bench

.PHONY: drill
drill: $(READY) ## Break every part under load, and account for each request (DRILL_ONLY=database,embedded)
	@python -m tests.drill

.PHONY: golden
golden: $(READY) ## Rewrite the golden replies from what the gateway returns
	@pytest --quiet tests/gateway/test_golden.py --rewrite-golden

.PHONY: settings
settings: $(READY) ## Rewrite the tables of settings in docs/ from the settings' docstrings
	@python scripts/settings_tables.py

.PHONY: metrics
metrics: $(READY) ## Rewrite the tables of metrics in docs/operations/metrics.md from the metrics
	@python scripts/metrics_tables.py

.PHONY: dashboard
dashboard: $(READY) ## Rewrite Grafana's dashboard in deploy/grafana/
	@python scripts/dashboard.py

.PHONY: map
map: $(READY) ## Redraw the map of packages and imports in docs/development.md
	@python scripts/draw_map.py

.PHONY: screenshots
screenshots: $(READY) ## Retake the screenshots in docs/, in Chromium
	@python -m tests.browser.screenshots

.PHONY: setup
setup: $(READY) ## Create the virtual environment from the lock file
$(READY): requirements-dev.lock pyproject.toml
	@./scripts/setup "$(PYTHON)" "$(VENV)"

.PHONY: lint
lint: $(READY) .build/googleapis ## Check style: ruff, buf lint
	@ruff check .
	@ruff format --check .
	@buf lint

.PHONY: format
format: $(READY) .build/googleapis ## Fix style: ruff, buf format
	@ruff check --fix-only .
	@ruff format .
	@buf format -w proto

.PHONY: types
types: $(READY) ## Check types: mypy, strict
	@mypy

.PHONY: validate
validate: $(READY) ## Validate the gateway's configuration by Envoy, standalone and embedded
	@python -m gateway validate
	@EMBEDDED=1 AUTH=off DATABASE_URL=postgresql://127.0.0.1/none python -m gateway validate

.PHONY: generate
generate: $(READY) .build/googleapis go .build/java $(TYPESCRIPT)/node_modules/.ready ## Generate the stubs and Envoy's descriptor set
	@mkdir -p $(dir $(DESCRIPTORS))
	@for template in generated/*/buf.gen.yaml; do \
	    buf generate --template "$$template" 2> >(grep -v '^Writing mypy to' >&2); done
	@buf build --as-file-descriptor-set --exclude-source-info -o $(DESCRIPTORS)
	@python -m grpc_tools.protoc --descriptor_set_in=$(DESCRIPTORS) --grpc_python_out=generated/python/src $(PROTO)

.PHONY: checkgenerate
checkgenerate: generate ## Fail if generated/ is out of date with proto/
	@changed=$$(git status --porcelain -- generated); [ -z "$$changed" ] || \
	    { echo "$$changed"; echo "generated/ is not what is committed: run 'make generate' and commit"; exit 1; }

.PHONY: stubs
stubs: $(READY) go java npm ## Build the packages of the stubs, into dist/
	@mkdir -p dist
	@cd generated/python && python -m hatchling build -t wheel -d $(CURDIR)/dist 2>&1
	@mvn --quiet --batch-mode --file generated/java package 2>&1 | sed 's/\x1b\[0m//g'
	@cp generated/java/target/*.jar dist/
	@git archive -o dist/livecalls-go-$(VERSION).zip --prefix=$(GO_MODULE)@v$(VERSION)/ HEAD:generated/go
	@npm pack ./$(TYPESCRIPT) --pack-destination dist --loglevel=error

.PHONY: breaking
breaking: $(READY) .build/googleapis ## Fail if proto/ breaks users of the last tag, else the last commit (AGAINST= another)
	@echo "Comparing proto/ with $(AGAINST)"
	@git show $(AGAINST):$(DESCRIPTORS) > .build/then.binpb
	@buf build --as-file-descriptor-set -o .build/now.binpb
	@buf breaking .build/now.binpb --against .build/then.binpb

.PHONY: images
images: $(READY) ## Build the images server, gateway and embedded, and print their sizes (root on Debian; BASE= another base)
	@./scripts/build_images server gateway embedded
	@./scripts/buildah images --format '{{.Size}} {{.Name}}' --noheading --filter reference='livecalls-*'

.PHONY: release
release: $(READY) ## Make a release of the commit that is checked out, into dist/: packages, images, checksums
	@./scripts/release

.PHONY: tag
tag: ## Tag the commit that is checked out as a release, of the version in pyproject.toml
	@[ -z "$$(git status --porcelain)" ] || { echo "There are changes that are not committed" >&2; exit 1; }
	@git tag -a v$(VERSION) -m "LiveCalls $(VERSION)"
	@git tag -a generated/go/v$(VERSION) -m "LiveCalls $(VERSION), stubs for Go"

.PHONY: migration
migration: $(READY) ## Generate the migration that server/store/tables.py needs (MESSAGE="what it does")
	@python scripts/new_migration.py "$(MESSAGE)"
	@ruff check --fix-only --quiet server/store/migrations
	@ruff format --quiet server/store/migrations

.PHONY: lock
lock: $(READY) ## Pin the newest allowed dependencies, with hashes
	@uv pip compile --quiet --universal --upgrade --generate-hashes --no-emit-index-url --no-annotate --no-header \
	    --all-extras pyproject.toml -o requirements-dev.lock
	@uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	    --constraint requirements-dev.lock pyproject.toml -o requirements.lock
	@for group in build gateway; do \
	    uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	        --constraint requirements-dev.lock --group pyproject.toml:$$group -o requirements-$$group.lock; done

.PHONY: peers
peers: $(READY) .build/googleapis go ## Build the Go services that the server is measured against (needs Go)
	@buf generate --template $(PEERS)/buf.gen.yaml
	@go build -C $(PEERS) -buildvcs=false -o $(CURDIR)/.build/peers/ ./cmd/...

.PHONY: clients
clients: go rust ## Build the other programs that tests call the service by (needs Go and Rust)
	@tests/clients/go/build
	@tests/clients/rust/build

.PHONY: deploy-tools
deploy-tools: go ## Build what reads the manifests in deploy/ (needs Go)
	@mkdir -p .build/deploy_tools
	@go build -C scripts/deploy_tools -o $(CURDIR)/.build/deploy_tools/ tool

.PHONY: clean
clean: ## Remove what make created: environment, demo data, caches
	@[ ! -d .build/images ] || ./scripts/buildah rm --all >/dev/null  # mounted, if a test was interrupted
	@rm -rf $(VENV) $(PEERS)/gen $(TYPESCRIPT)/node_modules generated/java/target .build .data dist
	@rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -prune -exec rm -rf {} +

.PHONY: go
go:
	@command -v go >/dev/null || { echo "The peers and stubs in Go need Go 1.26 or newer; there is none" >&2; exit 1; }

.PHONY: java
java:
	@command -v mvn >/dev/null || { echo "The stubs for Java need a JDK 17 or newer and Maven; there is none" >&2; exit 1; }

.PHONY: npm
npm:
	@command -v npm >/dev/null || { echo "The stubs for TypeScript need Node 20 or newer with npm; there is none" >&2; exit 1; }

.PHONY: rust
rust:
	@command -v cargo >/dev/null || { echo "A client of the tests needs Rust 1.88 or newer; there is none" >&2; exit 1; }

# The generators of Java's stubs.
.build/java: generated/java/pom.xml | java
	@./scripts/setup_java
	@touch $@

# buf cannot reach a schema registry everywhere; the PyPI package has the same files.
.build/googleapis: $(READY)
	@python scripts/export_googleapis.py $@

# The generator of TypeScript's stubs.
$(TYPESCRIPT)/node_modules/.ready: $(TYPESCRIPT)/package-lock.json | npm
	@npm ci --prefix $(TYPESCRIPT) --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

# The load generator of `make bench`.
.build/loadgen: $(wildcard tests/load/generator/*.[ch])
	@./scripts/setup_c
	@mkdir -p $(@D)
	@cc -O2 -Wall -Wextra -Werror -std=c11 -D_GNU_SOURCE $(filter %.c,$^) -o $@ -lnghttp2 -lm
