# `make install` and `make uninstall`: PREFIX, LIBDIR (below PREFIX), DESTDIR. It installs what is
# already built, so root needs no cargo: `make build && sudo make install`. Included by the
# Makefile.

PREFIX ?= /usr/local
LIBDIR ?= lib
POLYPROC_VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

INSTALL_LIB := $(DESTDIR)$(PREFIX)/$(LIBDIR)
INSTALL_INCLUDE := $(DESTDIR)$(PREFIX)/include
# From a folder of depth n below PREFIX back to PREFIX.
install-up = $(subst $() ,/,$(foreach part,$(subst /, ,$(LIBDIR)/$(1)),..))
install-file = sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(POLYPROC_VERSION)|; s|@ABI@|$(POLYPROC_ABI)|' \
    -e 's|@MINOR@|$(basename $(POLYPROC_VERSION))|; s|@UP@|$(call install-up,pkgconfig)|; s|@CMAKE_UP@|$(call install-up,cmake/polyproc)|' \
    $(1) > $(2)

.PHONY: install uninstall install-built
install: install-built ## the library, the headers, pkg-config and CMake files, below PREFIX (LIBDIR=lib DESTDIR=)
	install -d $(INSTALL_LIB)/pkgconfig $(INSTALL_LIB)/cmake/polyproc $(INSTALL_INCLUDE)/polyproc
	install -m 644 include/polyproc.h bindings/cpp/polyproc.hpp $(INSTALL_INCLUDE)/
	install -m 644 bindings/cpp/polyproc/*.hpp $(INSTALL_INCLUDE)/polyproc/
	install -m 644 $(POLYPROC_A) $(INSTALL_LIB)/
	strip --strip-debug $(INSTALL_LIB)/libpolyproc.a
	install -m 755 $(POLYPROC_SO) $(INSTALL_LIB)/libpolyproc.so.$(POLYPROC_VERSION)
	strip --strip-unneeded $(INSTALL_LIB)/libpolyproc.so.$(POLYPROC_VERSION)
	ln -sf libpolyproc.so.$(POLYPROC_VERSION) $(INSTALL_LIB)/libpolyproc.so.$(POLYPROC_ABI)
	ln -sf libpolyproc.so.$(POLYPROC_ABI) $(INSTALL_LIB)/libpolyproc.so
	$(call install-file,packaging/polyproc.pc.in,$(INSTALL_LIB)/pkgconfig/polyproc.pc)
	$(call install-file,packaging/cmake/polyproc-config.cmake.in,$(INSTALL_LIB)/cmake/polyproc/polyproc-config.cmake)
	$(call install-file,packaging/cmake/polyproc-config-version.cmake.in,$(INSTALL_LIB)/cmake/polyproc/polyproc-config-version.cmake)
	@packaging/after-install '$(DESTDIR)' '$(PREFIX)' '$(LIBDIR)'

# Builds only what is missing.
install-built:
	@test -e $(POLYPROC_A) && test -e $(POLYPROC_SO) || { \
	    command -v $(CARGO) > /dev/null || { echo "make install: nothing is built, and there is no cargo in PATH: run 'make build' first" >&2; exit 1; }; \
	    $(MAKE) build; }

uninstall: ## remove what install has put there
	rm -rf $(INSTALL_INCLUDE)/polyproc.h $(INSTALL_INCLUDE)/polyproc.hpp $(INSTALL_INCLUDE)/polyproc \
	    $(INSTALL_LIB)/libpolyproc.a $(INSTALL_LIB)/libpolyproc.so $(INSTALL_LIB)/libpolyproc.so.$(POLYPROC_ABI) \
	    $(INSTALL_LIB)/libpolyproc.so.$(POLYPROC_VERSION) $(INSTALL_LIB)/pkgconfig/polyproc.pc $(INSTALL_LIB)/cmake/polyproc
