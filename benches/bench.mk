# The benchmarks. Included by the Makefile; builds below build/bench.
#   bench            polyproc beside its peers: table, CSV and plots into docs/book/performance (ONLY="W1 W2" REPEAT=5)
#   bench-pace       each heuristic of waiting with and without, into docs/book/tuning.md
#   bench-calls      the cost of a call: criterion in Rust and C, testing.B in Go, mitata in Node, Python
#   bench-inspect    what `polyproc top` and the page cost a running stream
#   bench-python     Python's multiprocessing and polyproc in one run (REPEAT=5)
#   bench-check      whether everything that uses polyproc still builds
#   guard            instruction counts of the hot calls against the committed ones; guard-update commits anew
#
# A peer that cannot be built is skipped by name, so its rule may fail.

BENCH := build/bench
BENCH_HARNESS := $(wildcard benches/peers/harness/*.c)
BENCH_OBJECTS := $(patsubst benches/peers/harness/%.c,$(BENCH)/harness/%.o,$(BENCH_HARNESS))
BENCH_C := polyproc kernel glibc zeromq boost nng redis spsc limits scaling footprint
BENCH_RUST := cloudtoid iceoryx2 ipc-channel crossbeam
BENCH_PROGRAMS := $(BENCH_C:%=$(BENCH)/peers/%)
BENCH_CFLAGS := -O2 -g -Wall -Wextra -Werror -Ibenches/peers/harness -Iinclude

.SECONDARY: $(BENCH_OBJECTS)
$(BENCH)/harness/%.o: benches/peers/harness/%.c $(wildcard benches/peers/harness/*.h)
	@mkdir -p $(@D)
	$(CC) -std=c11 $(BENCH_CFLAGS) -c -o $@ $<

$(BENCH)/peers/%: benches/peers/c/%.c $(BENCH_OBJECTS)
	@mkdir -p $(@D)
	$(CC) -std=c11 $(BENCH_CFLAGS) -o $@ $< $(BENCH_OBJECTS) $(BENCH_LIBS) -lpthread -lrt

$(BENCH)/peers/%: benches/peers/c/%.cpp $(BENCH_OBJECTS)
	@mkdir -p $(@D)
	$(CXX) -std=c++17 $(BENCH_CFLAGS) -o $@ $< $(BENCH_OBJECTS) $(BENCH_LIBS) -lpthread -lrt

# These have a main function of their own.
BENCH_ALONE := $(addprefix $(BENCH)/peers/,limits scaling footprint)
$(BENCH_ALONE): $(BENCH)/peers/%: benches/peers/c/%.c $(BENCH)/harness/processes.o
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(BENCH_CFLAGS) -o $@ $< $(BENCH)/harness/processes.o $(BENCH_LIBS) -lpthread

BENCH_OURS := $(addprefix $(BENCH)/peers/,polyproc scaling footprint)
$(BENCH_OURS): BENCH_LIBS := $(POLYPROC_A) $(POLYPROC_LIBS)
$(BENCH_OURS): include/polyproc.h $(POLYPROC_A)
$(BENCH)/peers/zeromq: BENCH_LIBS := -lzmq
$(BENCH)/peers/nng: BENCH_LIBS := -lnng
$(BENCH)/peers/redis: BENCH_LIBS := -lhiredis

.PHONY: bench bench-pace bench-packages bench-programs bench-rust bench-go bench-calls bench-check
bench-packages:
	@for package in libboost-dev libzmq3-dev libnng-dev libhiredis-dev redis-server; do \
	    dpkg -s $$package > /dev/null 2>&1 || { apt-get update -qq && apt-get install -qq -y $$package; } || true; \
	done

bench-rust:
	cd benches/peers/rust && $(CARGO) build --release --locked --target-dir $(CURDIR)/$(BENCH)/rust
	@mkdir -p $(BENCH)/peers
	cd $(BENCH)/rust/release && cp $(BENCH_RUST) $(CURDIR)/$(BENCH)/peers/

# go sees every dependency except a new static library: hence the rm.
bench-go: $(POLYPROC_A)
	@mkdir -p $(BENCH)/peers
	rm -f $(BENCH)/peers/polyproc-go
	cd benches/peers/go && go build -o $(CURDIR)/$(BENCH)/peers/polyproc-go .

bench-programs: $(BENCH_PROGRAMS) bench-rust bench-go polyproc-node $(BENCH_POOL)/polyproc $(BENCH_POOL)/venv/bin/python

# The driver draws plots with this.
$(BENCH)/venv/bin/python: benches/driver/requirements.txt
	python3 -m venv --clear $(BENCH)/venv
	$(BENCH)/venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

bench: bench-packages $(BENCH)/venv/bin/python ## polyproc beside its peers, into docs/book/performance (ONLY="W1 W2" REPEAT=5)
	-@$(MAKE) --no-print-directory -k bench-programs
	@$(BENCH)/venv/bin/python benches/driver/bench.py --only "$(ONLY)" --repeat $(or $(REPEAT),5)
	$(if $(ONLY),,@$(MAKE) --no-print-directory bench-calls bench-python)

bench-pace: $(BENCH)/peers/polyproc $(BENCH)/peers/limits ## what each heuristic of waiting earns, into docs/book/tuning.md
	@python3 -B benches/driver/pace.py --only "$(ONLY)" --rounds $(or $(ROUNDS),7)

bench-calls: polyproc-node python-install ## what a call costs in Rust, C, Go, Node and Python, into docs/book/performance
	python3 benches/driver/calls.py

.PHONY: bench-python
bench-python: python-install ## Python: polyproc beside multiprocessing, and what a call costs (REPEAT=5)
	$(PYTHON_BIN)/python benches/python/bench.py --repeat $(or $(REPEAT),5)

$(BENCH)/stream: benches/inspect/stream.c include/polyproc.h $(POLYPROC_A)
	@mkdir -p $(@D)
	$(CC) -std=c11 -O2 -g -Wall -Wextra -Werror -Iinclude -o $@ $< $(POLYPROC_A) $(POLYPROC_LIBS)

.PHONY: bench-inspect
bench-inspect: cli $(BENCH)/stream ## what `top` and the page cost a running stream, in two minutes (ROUNDS=12)
	@python3 -B benches/inspect/bench.py --polyproc $(POLYPROC_BIN) --stream $(BENCH)/stream --rounds $(or $(ROUNDS),12)

bench-check: $(BENCH_OURS) $(BENCH)/peers/limits $(BENCH)/guard $(BENCH)/stream bench-go
	$(BENCH)/peers/limits line > /dev/null
	cd benches/peers/go && go vet ./...
	cd benches/calls/go && go vet ./...
	cd benches/calls && $(CARGO) fmt --check
	cd benches/peers/rust && $(CARGO) fmt --check
	cd benches/driver && python3 -B -c "import heuristics; heuristics.check()" && python3 -B check.py

# --- the guard

$(BENCH)/guard: benches/guard/guard.c include/polyproc.h $(POLYPROC_A)
	@mkdir -p $(@D)
	$(CC) -std=c11 -O2 -g -Wall -Wextra -Werror -Iinclude -o $@ $< $(POLYPROC_A) $(POLYPROC_LIBS)

.PHONY: guard guard-update
guard: $(BENCH)/guard ## instruction counts of the hot calls against the committed ones
	@command -v valgrind > /dev/null || { apt-get update -qq && apt-get install -qq -y valgrind; }
	benches/guard/guard.sh check $<
guard-update: $(BENCH)/guard ## commit to the instruction counts as they are
	@command -v valgrind > /dev/null || { apt-get update -qq && apt-get install -qq -y valgrind; }
	benches/guard/guard.sh update $<
