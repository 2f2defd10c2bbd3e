# The programs of the book's patterns. Included by the Makefile; builds below build/patterns.
PATTERNS := examples/patterns
PATTERNS_BUILD := build/patterns
PATTERNS_C := $(patsubst $(PATTERNS)/%.c,$(PATTERNS_BUILD)/%-c,$(wildcard $(PATTERNS)/*/*.c))
PATTERNS_CPP := $(patsubst $(PATTERNS)/%.cpp,$(PATTERNS_BUILD)/%-cpp,$(wildcard $(PATTERNS)/*/*.cpp))
PATTERNS_GO := $(patsubst $(PATTERNS)/%.go,$(PATTERNS_BUILD)/%-go,$(wildcard $(PATTERNS)/*/*.go))

$(PATTERNS_C): $(PATTERNS_BUILD)/%-c: $(PATTERNS)/%.c include/polyproc.h $(POLYPROC_A)
	@mkdir -p $(@D)
	$(CC) -std=c99 -O2 -Wall -Wextra -Wpedantic -Wstrict-prototypes -Werror -Iinclude -o $@ $< $(POLYPROC_A) $(POLYPROC_LIBS)

$(PATTERNS_CPP): $(PATTERNS_BUILD)/%-cpp: $(PATTERNS)/%.cpp $(POLYPROC_HPP) include/polyproc.h $(POLYPROC_A)
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -O1 -Wall -Wextra -Wpedantic -Werror -Iinclude -Ibindings/cpp -o $@ $< $(POLYPROC_A) $(POLYPROC_LIBS)

# go sees every dependency except a new static library: hence the rm.
$(PATTERNS_GO): $(PATTERNS_BUILD)/%-go: $(PATTERNS)/%.go $(POLYPROC_A) FORCE
	@mkdir -p $(@D)
	@rm -f $@
	cd examples && go build -o $(CURDIR)/$@ patterns/$*.go

# The programs in Node find the package as after `npm install`.
.PHONY: patterns patterns-test
patterns: $(PATTERNS_C) $(PATTERNS_CPP) $(PATTERNS_GO) polyproc-node python-install cli ## the programs of the book's patterns, in build/patterns
	$(CARGO) build --quiet --locked $(FEATURES) --example work_queue --example work_queue_put
	@ln -sf ../../../target/debug/examples/work_queue $(PATTERNS_BUILD)/work_queue/worker-rs
	@ln -sf ../../../target/debug/examples/work_queue_put $(PATTERNS_BUILD)/work_queue/put-rs
	@mkdir -p $(PATTERNS)/node_modules
	@ln -sfn ../../../bindings/node $(PATTERNS)/node_modules/polyproc

# The programs have names in common, so only one run at a time.
patterns-test: patterns ## runs the programs of the book's patterns, and kills some
	flock /tmp/polyproc-patterns.$$(id -u).lock node --test examples/test/patterns.test.mjs
