# `make install` and `make uninstall`: PREFIX, LIBDIR (below PREFIX), DESTDIR. It installs what is
# already built, so root needs no cargo: `make build && sudo make install`. Included by the
# Makefile.

PREFIX ?= /usr/local
LIBDIR ?= lib
POLYPROC_VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

# The prefix of the binutils, when the library is for another kind of machine.
CROSS :=

INSTALL_LIB := $(DESTDIR)$(PREFIX)/$(LIBDIR)
INSTALL_INCLUDE := $(DESTDIR)$(PREFIX)/include
INSTALL_MAN := $(DESTDIR)$(PREFIX)/share/man/man3
# From a folder of depth n below PREFIX back to PREFIX.
install-up = $(subst $() ,/,$(foreach part,$(subst /, ,$(LIBDIR)/$(1)),..))
install-file = sed -e 's|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(POLYPROC_VERSION)|; s|@ABI@|$(POLYPROC_ABI)|; s|@LIBS@|$(POLYPROC_LIBS)|' \
    -e 's|@MINOR@|$(basename $(POLYPROC_VERSION))|; s|@UP@|$(call install-up,pkgconfig)|; s|@CMAKE_UP@|$(call install-up,cmake/polyproc)|' \
    $(1) > $(2)

# A page for each function. Without python3 there are none, and the rest is installed all the same.
MAN := build/man/polyproc.3
.PHONY: man
man: $(MAN)
$(MAN): include/polyproc.h tools/man.py tools/header.py
	@if command -v python3 > /dev/null; then \
	    tools/man.py $(@D) $(POLYPROC_VERSION) $(or $(SOURCE_DATE_EPOCH),$(shell stat -c %Y include/polyproc.h)); \
	else mkdir -p $(@D); echo "no manual pages: there is no python3" >&2; fi

.PHONY: install uninstall install-built
install: install-built $(MAN) ## the library, the headers, pkg-config and CMake files, below PREFIX (LIBDIR=lib DESTDIR=)
	install -d $(INSTALL_LIB)/pkgconfig $(INSTALL_LIB)/cmake/polyproc $(INSTALL_INCLUDE)/polyproc
	install -m 644 include/polyproc.h bindings/cpp/polyproc.hpp $(INSTALL_INCLUDE)/
	install -m 644 bindings/cpp/polyproc/*.hpp $(INSTALL_INCLUDE)/polyproc/
	CROSS=$(CROSS) packaging/prelink $(POLYPROC_A) $(INSTALL_LIB)/libpolyproc.a
	install -m 755 $(POLYPROC_SO) $(INSTALL_LIB)/libpolyproc.so.$(POLYPROC_VERSION)
	$(CROSS)strip --strip-unneeded $(INSTALL_LIB)/libpolyproc.so.$(POLYPROC_VERSION)
	ln -sf libpolyproc.so.$(POLYPROC_VERSION) $(INSTALL_LIB)/libpolyproc.so.$(POLYPROC_ABI)
	ln -sf libpolyproc.so.$(POLYPROC_ABI) $(INSTALL_LIB)/libpolyproc.so
	$(call install-file,packaging/polyproc.pc.in,$(INSTALL_LIB)/pkgconfig/polyproc.pc)
	$(call install-file,packaging/cmake/polyproc-config.cmake.in,$(INSTALL_LIB)/cmake/polyproc/polyproc-config.cmake)
	$(call install-file,packaging/cmake/polyproc-config-version.cmake.in,$(INSTALL_LIB)/cmake/polyproc/polyproc-config-version.cmake)
	if [ -e $(MAN) ]; then install -d $(INSTALL_MAN) && install -m 644 build/man/*.3 $(INSTALL_MAN)/; fi
	@packaging/after-install '$(DESTDIR)' '$(PREFIX)' '$(LIBDIR)'

# Builds only what is missing.
install-built:
	@test -e $(POLYPROC_A) && test -e $(POLYPROC_SO) || { \
	    command -v $(CARGO) > /dev/null || { echo "make install: nothing is built, and there is no cargo in PATH: run 'make build' first" >&2; exit 1; }; \
	    $(MAKE) build; }

uninstall: ## remove what install has put there
	rm -rf $(INSTALL_INCLUDE)/polyproc.h $(INSTALL_INCLUDE)/polyproc.hpp $(INSTALL_INCLUDE)/polyproc \
	    $(INSTALL_LIB)/libpolyproc.a $(INSTALL_LIB)/libpolyproc.so $(INSTALL_LIB)/libpolyproc.so.$(POLYPROC_ABI) \
	    $(INSTALL_LIB)/libpolyproc.so.$(POLYPROC_VERSION) $(INSTALL_LIB)/pkgconfig/polyproc.pc $(INSTALL_LIB)/cmake/polyproc \
	    $(INSTALL_MAN)/polyproc.3 $(INSTALL_MAN)/polyproc_*.3
