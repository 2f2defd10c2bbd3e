// The C++ classes, against the library: `make test-cpp`, with gcc and clang, plain and with sanitizers.
// Children that are killed on purpose are no failures.
#define DOCTEST_CONFIG_NO_POSIX_SIGNALS
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
