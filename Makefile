# `make help` lists the targets. `make demo` and `make test` do all the set-up that they need,
# pinned by the lock files.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

CARGO ?= cargo
# The libraries for C have this feature and a Rust program does not: see Cargo.toml.
FEATURES := --features c-library
# The tests also have the features for Rust programs.
TEST_FEATURES := $(FEATURES),serde,tokio
# All rules below use the libraries in this folder.
export CARGO_TARGET_DIR := $(CURDIR)/target

POLYPROC_A := target/release/libpolyproc.a
POLYPROC_SO := target/release/libpolyproc.so
POLYPROC_LIBS := -lpthread -ldl -lm
POLYPROC_HPP := $(wildcard bindings/cpp/*.hpp bindings/cpp/polyproc/*.hpp)

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- build

.PHONY: build
build: $(POLYPROC_A) man ## the library, static and dynamic, in target/release

# The number in the library's soname: a program loads the library of the interface that it was
# linked with.
POLYPROC_ABI := $(shell sed -n 's/^\#define POLYPROC_ABI_VERSION //p' include/polyproc.h)
# nodelete: each process that uses an object runs a keeper thread, whose code must not be unmapped.
LIBRARY_LINK := -C link-arg=-Wl,-soname,libpolyproc.so.$(POLYPROC_ABI) -C link-arg=-Wl,-z,nodelete
# The tests set the profile, dev or release, and `make dist` the rest.
LIBRARY_PROFILE := release
LIBRARY_TARGET :=
LIBRARY_KINDS := cdylib,staticlib

# The crate alone is an rlib, so Rust programs that use it do not link these two libraries. Cargo
# decides whether they are fresh, and leaves their files alone if they are.
.PHONY: library
library:
	@$(CARGO) rustc --profile $(LIBRARY_PROFILE) --locked $(FEATURES) --lib --crate-type $(LIBRARY_KINDS) \
	    $(if $(LIBRARY_TARGET),--target $(LIBRARY_TARGET)) -- $(LIBRARY_LINK)
$(POLYPROC_A) $(POLYPROC_SO): library
	@:

.PHONY: header check-header
header: ## write include/polyproc.h anew from src/ffi
	tools/header.sh write
check-header: ## fail when include/polyproc.h is stale
	tools/header.sh check

bindings/node/node_modules/.package-lock.json: bindings/node/package.json bindings/node/package-lock.json
	cd bindings/node && npm ci --no-audit --no-fund

.PHONY: polyproc-node
polyproc-node: $(POLYPROC_A) bindings/node/node_modules/.package-lock.json ## the Node binding, in bindings/node
	$(MAKE) -C bindings/node POLYPROC_LIBRARY=$(CURDIR)/$(POLYPROC_A)

include bindings/node/runtimes.mk
include examples/headers/headers.mk
include examples/examples.mk
include examples/patterns/patterns.mk
include benches/peers/killed/killed.mk
include benches/peers/pool/pool.mk
include benches/bench.mk
include tests/cpp/cpp.mk
include bindings/python/python.mk

# --- demo

.PHONY: demo
demo: headers-build ## count the identifiers of C headers: C, Go and Node (INPUT=dir KILL=5 CHECK=1 WORKERS=n ENGINE=cpp)
	@examples/headers/run

# --- test

.PHONY: test test-rust test-soak test-go test-readme test-install test-versions test-memory test-leftovers
test: ## all tests, with the set-up that they need
	$(MAKE) test-core-and-builds
	$(MAKE) test-python-and-others
	$(MAKE) test-cli
	$(MAKE) headers-test
	$(MAKE) examples-test
	$(MAKE) patterns-test
	$(MAKE) test-docs
	$(MAKE) test-readme
	$(MAKE) test-install
	$(MAKE) test-versions
	$(MAKE) test-memory
	$(MAKE) guard
	$(MAKE) test-leftovers

# These tests wait much of their time. Meanwhile the command and nats-server are built, for the steps that come later, at
# the lowest priority. Here nothing fails when that fails: the step that needs it builds it again, and says why.
.PHONY: test-core-and-builds
test-core-and-builds:
	@mkdir -p build
	@nice -n 19 $(MAKE) build-ahead > build/build-ahead.log 2>&1 & builds=$$!; \
	    trap 'kill $$builds 2> /dev/null || true' EXIT; \
	    for step in test-rust test-soak test-slices test-stops test-loom test-cpp test-go test-node; do $(MAKE) $$step; done; \
	    wait $$builds || tail -n 5 build/build-ahead.log

test-rust: interop soak-workers $(POLYPROC_SO)
	$(CARGO) test --locked $(TEST_FEATURES)
	# Prints what was tested: which faults of which function, and which promises of each object.
	$(CARGO) test --locked $(TEST_FEATURES) --quiet --test fault_table --test semantics --test injection -- --nocapture
	tools/check-library.sh $(POLYPROC_SO)

# A minute of random configurations, the same in each run.
test-soak: soak-workers
	$(CARGO) test --locked $(TEST_FEATURES) --test soak -- --seconds=60 --random --seed=1

test-go: $(POLYPROC_A)
	# Go does not see that the static library has changed: no cached results.
	cd bindings/go && go vet ./... && go test -count=1 ./... && go test -count=1 -race ./...

# The tests of Python wait most of their time. Meanwhile the bridges are tested, and root builds the packages and tries them,
# both at the lowest priority: they get what is left over of the processors. What uses apt comes first, since apt runs once
# at a time.
.PHONY: test-python-and-others
test-python-and-others: python-install build/python/testsuite/.unpacked polyproc-node bridge-tools
	@command -v mmdebstrap > /dev/null || [ "$$(id -u)" != 0 ] || { apt-get update -qq && apt-get install -qq -y --no-install-recommends mmdebstrap; }
	@{ [ "$$(id -u)" = 0 ] || exit 0; exec nice -n 19 $(MAKE) test-dist-here; } > build/test-dist-here.log 2>&1 & packages=$$!; \
	    nice -n 19 $(MAKE) test-bridge-short > build/test-bridge.log 2>&1 & bridges=$$!; \
	    trap 'kill $$packages $$bridges 2> /dev/null || true' EXIT; \
	    $(MAKE) test-python; \
	    wait $$bridges || { cat build/test-bridge.log; exit 1; }; \
	    wait $$packages || { cat build/test-dist-here.log; exit 1; }
	@sed -n '/^| what happens/,$$p' build/test-bridge.log
	@sed -n '/^ran:/,$$p' build/test-dist-here.log

# As on kernels before 5.16, where a sleep is on one word and cut into slices. `make test` runs the
# C programs and the tests of waiting for several things; test-no-waitv runs everything. Then some
# of the C programs without heuristics of waiting.
.PHONY: test-slices test-no-waitv
test-slices:
	POLYPROC_NO_WAITV=1 $(CARGO) test --locked $(TEST_FEATURES) --test c_api --test wait
	POLYPROC_PACE=off $(CARGO) test --locked $(TEST_FEATURES) --test c_api -- \
	    c99::queue c99::lock c99::semaphore c99::connection c99::killed
test-no-waitv: export POLYPROC_NO_WAITV := 1
test-no-waitv: test-rust test-go test-node ## the tests without futex_waitv

# A few stops; `make crash STOP=1 FULL=1` stops each operation at each of its instructions.
.PHONY: test-stops
test-stops:
	$(CARGO) test --locked $(TEST_FEATURES) --test crash -- --stop --points=3 "put, small" "get, small" "take and done" "a join" \
	    "lock: acquire and" "owned semaphore: acquire and" "barrier: the last" "condition: notify" "pipe: recv r" unlink

# Builds and runs each example of docs/book/languages.md as it stands there, and the first programs
# of docs/book/install.md with the commands for a checkout.
test-readme: polyproc-node python-install
	node --test tests/readme/

test-install: build
	tests/install/run

test-versions: polyproc-node
	tests/versions/run

# The programs of tests/c under memcheck.
test-memory:
	@command -v valgrind > /dev/null || { apt-get update -qq && apt-get install -qq -y valgrind; }
	POLYPROC_TEST_VALGRIND=1 $(CARGO) test --locked $(TEST_FEATURES) --test c_api -- --test-threads=1

test-leftovers:
	@tests/leftovers

# The algorithms in every order of their steps, with one thread that dies at each of its steps.
# `make test` bounds the preemptions to two; here the bound is each model's own, or none where the
# search ends without.
.PHONY: loom test-loom
loom: ## the algorithms under a model checker, with a death at every step
	cd loom && $(CARGO) test --release --locked -- --nocapture --test-threads=1
test-loom:
	cd loom && POLYPROC_LOOM_BOUND=2 $(CARGO) test --release --locked --quiet

# The targets of fuzz/, one after the other, under AddressSanitizer; they share the time. A thread
# that is just ending, as listeners have, looks like a leak.
.PHONY: fuzz
FUZZ_TARGETS = $(notdir $(basename $(wildcard fuzz/fuzz_targets/*.rs)))
fuzz: SECONDS ?= 60
fuzz: build/tools/bin/cargo-fuzz ## bytes and calls that a fuzzer makes up (SECONDS=60 in all; needs a nightly Rust)
	@for target in $(FUZZ_TARGETS); do \
	    echo "== $$target"; \
	    PATH=$(CURDIR)/build/tools/bin:$$PATH $(CARGO) +nightly fuzz run $$target -- -timeout=10 -max_len=4096 -len_control=0 \
	        -max_total_time=$$(($(SECONDS) / $(words $(FUZZ_TARGETS)) + 1)) -print_final_stats=1 -print_funcs=0 -verbosity=0 \
	        $$([ $$target != wire ] || echo -detect_leaks=0) 2>&1 | grep -v '# Uses\|dictionary'; \
	done

CARGO_FUZZ_VERSION := 0.13.2
build/tools/bin/cargo-fuzz:
	$(CARGO) install cargo-fuzz --locked --version $(CARGO_FUZZ_VERSION) --root build/tools

# In `make test` only some of many calls fail, and the sums are printed.
.PHONY: faults
faults: ## let each call fail that each function makes (memory, threads, files, system calls), and print what comes of it
	POLYPROC_FAULT_TABLE=1 $(CARGO) test --locked $(TEST_FEATURES) --test injection -- --nocapture

.PHONY: crash
crash: ## kill each operation (STOP=1: stop it) at many of its instructions, FULL=1 at every one; SHM=4: in a /dev/shm of 4 MiB; OPERATION="'put, small' unlink": those whose names contain one of these
	$(CARGO) test --release --locked $(TEST_FEATURES) --test crash -- $(if $(FULL),--full,--points=$(if $(STOP),100,500)) \
	    $(if $(STOP),--stop) $(if $(SHM),--shm=$(SHM)) $(OPERATION)

.PHONY: soak soak-workers
soak: SECONDS ?= 60
soak: soak-workers ## processes in C, Go and Node killed at random for SECONDS=60, every message accounted for; RANDOM=1 SEED=n: random configurations; SHM=16: in so many MiB
	$(CARGO) test --release --locked $(TEST_FEATURES) --test soak -- --seconds=$(SECONDS) $(if $(filter 1,$(RANDOM)),--random) \
	    $(if $(SEED),--seed=$(SEED)) $(if $(ONLY),--only=$(ONLY)) $(if $(SHM),--shm=$(SHM))

soak-workers: build/soak/c build/soak/go build/soak/random-c build/soak/random-go polyproc-node

build/soak/c: tests/soak/c/worker.c include/polyproc.h $(POLYPROC_A)
	@mkdir -p $(@D)
	$(CC) -std=c99 -O2 -g -Wall -Wextra -Wpedantic -Wstrict-prototypes -Werror -Iinclude \
	    -o $@ $< $(POLYPROC_A) $(POLYPROC_LIBS)

build/soak/random-c: $(wildcard tests/soak/c/random*.c) tests/soak/c/random.h include/polyproc.h $(POLYPROC_A)
	@mkdir -p $(@D)
	$(CC) -std=c99 -O2 -g -Wall -Wextra -Wpedantic -Wstrict-prototypes -Werror -Iinclude \
	    -o $@ $(filter %.c,$^) $(POLYPROC_A) $(POLYPROC_LIBS)

build/soak/go build/soak/random-go: $(POLYPROC_A) FORCE
	@mkdir -p $(@D)
	rm -f $@
	cd tests/soak/go && go build -o $(CURDIR)/$@ $(if $(findstring random,$@),./random,.)

.PHONY: interop
interop: $(addprefix build/interop/,c cpp go c-pool cpp-pool go-pool c-tasks go-tasks c-listener go-listener) polyproc-node python-install

build/interop/c: tests/interop/c/interop.c
build/interop/c-pool: tests/interop/c/pool.c
build/interop/c-tasks: tests/interop/c/tasks.c
build/interop/c-listener: tests/interop/c/listener.c
build/interop/c build/interop/c-pool build/interop/c-tasks build/interop/c-listener: include/polyproc.h $(POLYPROC_A)
	@mkdir -p $(@D)
	$(CC) -std=c99 -O2 -g -Wall -Wextra -Wpedantic -Wstrict-prototypes -Werror -Iinclude \
	    -o $@ $(filter %.c,$^) $(POLYPROC_A) $(POLYPROC_LIBS)

build/interop/cpp: tests/interop/cpp/interop.cpp
build/interop/cpp-pool: tests/interop/cpp/pool.cpp
build/interop/cpp build/interop/cpp-pool: $(POLYPROC_HPP) include/polyproc.h $(POLYPROC_A)
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -O2 -g -Wall -Wextra -Wpedantic -Werror -Iinclude -Ibindings/cpp \
	    -o $@ $(filter %.cpp,$^) $(POLYPROC_A) $(POLYPROC_LIBS)

build/interop/go: PACKAGE := .
build/interop/go-pool: PACKAGE := ./pool
build/interop/go-tasks: PACKAGE := ./tasks
build/interop/go-listener: PACKAGE := ./listener
build/interop/go build/interop/go-pool build/interop/go-tasks build/interop/go-listener: $(POLYPROC_A) FORCE
	@mkdir -p $(@D)
	rm -f $@
	cd tests/interop/go && go build -o $(CURDIR)/$@ $(PACKAGE)

# --- lint

.PHONY: lint lint-rust lint-c lint-go
lint: lint-rust lint-cli lint-c lint-go lint-python bench-check ## formats and lints

lint-rust:
	$(CARGO) fmt --check
	$(CARGO) fmt --check --manifest-path loom/Cargo.toml
	$(CARGO) fmt --check --manifest-path fuzz/Cargo.toml
	$(CARGO) clippy --locked $(TEST_FEATURES) --all-targets -- -D warnings
	$(CARGO) clippy --locked --package polyproc-python -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps --quiet --features serde,tokio

lint-c:
	@command -v clang-format > /dev/null || { apt-get update -qq && apt-get install -qq -y clang-format; }
	clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h' '*.hpp' '*.cpp' | grep -v '^include/polyproc.h$$')

lint-go: $(POLYPROC_A)
	@test -z "$$(gofmt -l bindings/go examples tests/bridge tests/interop/go tests/soak/go benches packaging/go)" || { gofmt -d bindings/go examples tests/bridge tests/interop/go tests/soak/go benches packaging/go; exit 1; }
	cd bindings/go && go tool -modfile=tools/go.mod staticcheck ./...
	cd tests/interop/go && go vet ./...
	cd tests/soak/go && go vet ./...
	cd tests/bridge/worker && go vet ./...
	cd tests/bridge/operator && go vet ./...
	cd packaging/go && go vet ./...

include packaging/install.mk
include cli/cli.mk
include tests/bridge/bridge.mk
include docs/docs.mk
include packaging/dist.mk

.PHONY: clean
clean: ## remove everything that was built
	rm -rf build dist target bindings/node/build bindings/node/node_modules examples/headers/reporter/node_modules
