# The pool beside other pools, W6. Included by the Makefile; builds below build/bench/pool.
#   bench-pool    tasks per second in one run (TASKS=100000 WORKERS=2 REPEAT=5)

BENCH_POOL := build/bench/pool

$(BENCH_POOL)/polyproc: benches/peers/pool/polyproc.c include/polyproc.h $(POLYPROC_A)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -g -Wall -Wextra -Werror -Iinclude -o $@ $< $(POLYPROC_A) $(POLYPROC_LIBS)

$(BENCH_POOL)/venv/bin/python: benches/peers/pool/requirements.txt
	python3 -m venv --clear $(BENCH_POOL)/venv
	$(BENCH_POOL)/venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.PHONY: bench-pool
bench-pool: $(BENCH_POOL)/polyproc $(BENCH_POOL)/venv/bin/python ## pool beside Python's pools (TASKS=100000 WORKERS=2 REPEAT=5)
	$(BENCH_POOL)/venv/bin/python benches/peers/pool/run.py $(BENCH_POOL)/polyproc --tasks $(or $(TASKS),100000) \
	    --workers $(or $(WORKERS),2) --repeat $(or $(REPEAT),5)
