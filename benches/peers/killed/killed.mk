# How polyproc and its peers behave when one of two processes is killed. Included by the Makefile. A
# peer that cannot be built is skipped by name, so its rule may fail.

KILLED := build/killed
KILLED_PROGRAMS := polyproc posix boost cloudtoid
KILLED_CFLAGS := -O2 -g -Wall -Wextra -Werror -Iinclude

$(KILLED)/%: benches/peers/killed/%.c benches/peers/killed/killed.h
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(KILLED_CFLAGS) -o $@ $< $(KILLED_LIBS) -lpthread -lrt

$(KILLED)/polyproc: KILLED_LIBS := $(POLYPROC_A) $(POLYPROC_LIBS)
$(KILLED)/polyproc: include/polyproc.h $(POLYPROC_A)

$(KILLED)/boost: benches/peers/killed/boost.cpp benches/peers/killed/killed.h
	@mkdir -p $(@D)
	@dpkg -s libboost-dev > /dev/null 2>&1 || { apt-get update -qq && apt-get install -qq -y libboost-dev; }
	$(CXX) -std=c++17 $(KILLED_CFLAGS) -o $@ $< -lpthread -lrt

$(KILLED)/cloudtoid: $(wildcard benches/peers/killed/cloudtoid/src/*.rs) benches/peers/killed/cloudtoid/Cargo.lock
	@mkdir -p $(@D)
	cd benches/peers/killed/cloudtoid && $(CARGO) build --release --locked --target-dir $(CURDIR)/$(KILLED)/rust
	cp $(KILLED)/rust/release/killed-cloudtoid $@

.PHONY: bench-killed
bench-killed: ## polyproc and its peers when one of two processes is killed: who hangs, what is lost (ROUNDS=20 LIMIT=30)
	-$(MAKE) -k $(KILLED_PROGRAMS:%=$(KILLED)/%)
	python3 benches/peers/killed/run.py $(KILLED) --rounds $(or $(ROUNDS),20) --limit $(or $(LIMIT),30)
