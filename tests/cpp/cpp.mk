# The tests of the C++ classes and of the tutorial's programs in C++: each compiler, plain and with the
# sanitizers of addresses and of undefined behaviour. Included by the Makefile.

TEST_CPP := $(wildcard tests/cpp/*.cpp)
# `make test` runs the first two.
TEST_CPP_BUILDS := g++-sanitized clang++ g++ clang++-sanitized
TEST_CPP_PROGRAMS := $(TEST_CPP_BUILDS:%=build/test-cpp/%)
TEST_CPP_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all

.PHONY: test-cpp test-cpp-all test-cpp-examples test-cpp-tools
test-cpp: TEST_CPP_CHOSEN = $(wordlist 1,2,$(TEST_CPP_PROGRAMS))
test-cpp: $(wordlist 1,2,$(TEST_CPP_PROGRAMS))
test-cpp-all: TEST_CPP_CHOSEN = $(TEST_CPP_PROGRAMS)
test-cpp-all: $(TEST_CPP_PROGRAMS) test-cpp-examples ## the C++ classes and the tutorial's programs with gcc and clang, plain and with sanitizers
test-cpp test-cpp-all:
	@for program in $(TEST_CPP_CHOSEN); do echo $$program; $$program || exit 1; done

# `make examples-test` runs the programs of g++ alone.
test-cpp-examples: test-cpp-tools
	@for build in $(TEST_CPP_BUILDS); do \
	    echo "the tutorial's programs: $$build"; \
	    case $$build in *-sanitized) flags='$(TEST_CPP_SANITIZE)' ;; *) flags= ;; esac; \
	    $(MAKE) --no-print-directory --silent examples-test LANGUAGES=cpp EXAMPLES_BUILD=build/tutorial-$$build \
	        CXX=$${build%-sanitized} CXXFLAGS="$$flags" || exit 1; \
	done

test-cpp-tools:
	@test -e /usr/include/doctest/doctest.h && command -v clang++ > /dev/null && test -d $$(clang++ -print-resource-dir)/lib/linux || { \
	    apt-get update -qq && apt-get install -qq -y doctest-dev clang libclang-rt-14-dev; }

$(TEST_CPP_PROGRAMS): build/test-cpp/%: $(TEST_CPP) tests/cpp/names.hpp $(POLYPROC_HPP) include/polyproc.h $(POLYPROC_A) | test-cpp-tools
	@mkdir -p $(@D)
	$(patsubst %-sanitized,%,$*) -std=c++17 -O1 -g -Wall -Wextra -Wpedantic -Werror $(if $(findstring sanitized,$*),$(TEST_CPP_SANITIZE)) \
	    -Iinclude -Ibindings/cpp -o $@ $(TEST_CPP) $(POLYPROC_A) $(POLYPROC_LIBS)
