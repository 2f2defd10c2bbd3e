# The programs of examples/headers/run. Included by the Makefile; builds below build/headers.
#   headers-build  its programs           headers-test  their tests
#
# POLYPROC_A is the static library, polyproc-node builds bindings/node: both are the Makefile's.

HEADERS := examples/headers
HEADERS_SOURCES := $(wildcard $(HEADERS)/*.c)
HEADERS_REPORTER := $(HEADERS)/reporter/node_modules/.package-lock.json
POLYPROC_A ?= target/release/libpolyproc.a
POLYPROC_LIBS ?= -lpthread -ldl -lm
POLYPROC_HPP ?= $(wildcard bindings/cpp/*.hpp bindings/cpp/polyproc/*.hpp)

build/headers/headers: $(HEADERS_SOURCES) $(HEADERS)/headers.h include/polyproc.h $(POLYPROC_A)
	@mkdir -p $(@D)
	$(CC) -std=c99 -O2 -g -Wall -Wextra -Wpedantic -Wstrict-prototypes -Werror $(CFLAGS) -Iinclude \
	    -o $@ $(HEADERS_SOURCES) $(POLYPROC_A) $(LDFLAGS) $(POLYPROC_LIBS)

# The same in C++: ENGINE=cpp.
build/headers/headers-cpp: $(wildcard $(HEADERS)/cpp/*) $(POLYPROC_HPP) include/polyproc.h $(POLYPROC_A)
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -O2 -g -Wall -Wextra -Wpedantic -Werror $(CXXFLAGS) -Iinclude -Ibindings/cpp \
	    -o $@ $(HEADERS)/cpp/main.cpp $(POLYPROC_A) $(LDFLAGS) $(POLYPROC_LIBS)

# go sees every dependency except a new static library: hence the rm.
build/headers/worker: $(POLYPROC_A) FORCE
	@mkdir -p $(@D)
	@rm -f $@
	cd $(HEADERS)/worker && go build -o $(CURDIR)/$@ .

$(HEADERS_REPORTER): $(HEADERS)/reporter/package.json $(HEADERS)/reporter/package-lock.json
	cd $(HEADERS)/reporter && npm ci --no-audit --no-fund

.PHONY: headers-build headers-test FORCE
headers-build: build/headers/headers build/headers/headers-cpp build/headers/worker $(HEADERS_REPORTER) polyproc-node

headers-test: headers-build cli
	cd $(HEADERS)/worker && go vet . && go test .
	node --test $(HEADERS)/test/headers.test.mjs
	node --test $(HEADERS)/test/toml.test.mjs
	ENGINE=cpp node --test --test-name-pattern='everything odd|killed workers|at once|Ctrl-C|by itself|cannot work' \
	    $(HEADERS)/test/headers.test.mjs

FORCE:
