# The programs of examples/tutorial/<program>/main.{c,cpp,go,js,py}. Included by the Makefile; builds
# below build/examples/{c,cpp,go}, or below EXAMPLES_BUILD instead of build.
#   examples-build  all of them      examples-test  their tests (LANGUAGES="c go" PROGRAMS="ktv chat")
#
# POLYPROC_A is the static library, polyproc-node builds bindings/node: both are the Makefile's.

EXAMPLES_LANGUAGES := $(or $(LANGUAGES),c cpp go node python)
EXAMPLES_BUILD ?= build
TUTORIAL := examples/tutorial
# $(1): the extension, $(2): the folder of the built programs
tutorial_programs = $(patsubst $(TUTORIAL)/%/main.$(1),$(EXAMPLES_BUILD)/examples/$(2)/%,$(wildcard $(TUTORIAL)/*/main.$(1)))
EXAMPLES_C := $(call tutorial_programs,c,c)
EXAMPLES_CPP := $(call tutorial_programs,cpp,cpp)
EXAMPLES_GO := $(call tutorial_programs,go,go)
POLYPROC_A ?= target/release/libpolyproc.a
POLYPROC_LIBS ?= -lpthread -ldl -lm
POLYPROC_HPP ?= $(wildcard bindings/cpp/*.hpp bindings/cpp/polyproc/*.hpp)

$(EXAMPLES_C): $(EXAMPLES_BUILD)/examples/c/%: $(TUTORIAL)/%/main.c examples/support/example.h include/polyproc.h $(POLYPROC_A)
	@mkdir -p $(@D)
	$(CC) -std=c99 -O2 -g -Wall -Wextra -Wpedantic -Wstrict-prototypes -Werror $(CFLAGS) -Iinclude \
	    -Iexamples/support -o $@ $< $(POLYPROC_A) $(LDFLAGS) $(POLYPROC_LIBS)

$(EXAMPLES_CPP): $(EXAMPLES_BUILD)/examples/cpp/%: $(TUTORIAL)/%/main.cpp examples/support/example.hpp $(POLYPROC_HPP) \
        include/polyproc.h $(POLYPROC_A)
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -O1 -g -Wall -Wextra -Wpedantic -Werror $(CXXFLAGS) -Iinclude -Ibindings/cpp \
	    -Iexamples/support -o $@ $< $(POLYPROC_A) $(LDFLAGS) $(POLYPROC_LIBS)

# go sees every dependency except a new static library: hence the rm.
$(EXAMPLES_GO): $(EXAMPLES_BUILD)/examples/go/%: $(TUTORIAL)/%/main.go $(POLYPROC_A) FORCE
	@mkdir -p $(@D)
	@rm -f $@
	cd examples && go build -o $(CURDIR)/$@ tutorial/$*/main.go

# A Go service that meets a Node script.
EXAMPLES_MEETING := $(EXAMPLES_BUILD)/examples/go/meeting/kitchen
$(EXAMPLES_MEETING): examples/meeting/kitchen.go $(POLYPROC_A) FORCE
	@mkdir -p $(@D)
	@rm -f $@
	cd examples && go build -o $(CURDIR)/$@ ./meeting

.PHONY: examples-c examples-cpp examples-go examples-node examples-python examples-build examples-test FORCE
examples-c: $(EXAMPLES_C)
examples-cpp: $(EXAMPLES_CPP)
examples-go: $(EXAMPLES_GO) $(EXAMPLES_MEETING)
examples-node: polyproc-node
examples-python: python-install
examples-build: $(EXAMPLES_LANGUAGES:%=examples-%)

examples-test: export BUILD := $(EXAMPLES_BUILD)
examples-test: examples-build
	LANGUAGES="$(EXAMPLES_LANGUAGES)" PROGRAMS="$(PROGRAMS)" node --test examples/test/programs.test.mjs
	LANGUAGES="$(EXAMPLES_LANGUAGES)" node --test examples/test/echo.test.mjs
ifeq ($(filter-out $(EXAMPLES_LANGUAGES),go node),)
	node --test examples/test/meeting.test.mjs
endif

FORCE:
