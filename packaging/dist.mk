# `make dist`: every package into dist/, and `make test-dist`: each of them installed where there is neither Rust nor this
# repository. Included by the Makefile, last, so that a binding adds its own package: DIST_PARTS += dist-python.

# The platforms that can be built here; a platform whose Rust target cannot be had is left out by name.
PLATFORMS ?= linux-x64 linux-arm64 linux-x64-musl linux-arm64-musl
# Where they go.
DIST := $(CURDIR)/dist
DIST_PARTS += dist-c dist-command dist-deb dist-go dist-npm dist-crate dist-python

.PHONY: dist dist-libraries dist-legal $(DIST_PARTS)
dist: ## every package, with checksums, into dist/ (PLATFORMS="linux-x64" for one platform)
	rm -rf $(DIST) build/dist/lib
	$(MAKE) $(DIST_PARTS)
	cd $(DIST) && find . -type f ! -name SHA256SUMS -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' sha256sum > SHA256SUMS
	@cat $(DIST)/SHA256SUMS

dist-libraries:
	@for platform in $(PLATFORMS); do packaging/dist/library $$platform || exit 1; done
dist-legal:
	@packaging/dist/legal
dist-c dist-command dist-deb dist-go dist-npm dist-python: dist-%: dist-libraries dist-legal
	packaging/dist/$*
dist-deb: dist-command
dist-crate:
	packaging/dist/crate

.PHONY: test-dist test-dist-again
test-dist: ## install each package of dist/ in an empty root, and run its first program
	tests/dist/run

# What `make test` runs of both: the packages of this machine's platform, without those of Debian, each installed in the
# Debian of this machine. Without the list of contents, since its tool takes a minute to build.
.PHONY: test-dist-here
test-dist-here: export DIST := $(CURDIR)/build/dist-here
test-dist-here:
	@NO_SBOM=1 $(MAKE) --no-print-directory dist DIST=$(DIST) PLATFORMS=linux-$(MACHINE) \
	    DIST_PARTS='dist-c dist-command dist-go dist-npm dist-crate dist-python'
	@tests/dist/run floors C C++ c-moved-prefix command-static Go go-consumer Node Python Rust vcpkg-port

# From another folder, as another user's checkout would lie: the sums must be the same.
test-dist-again: ## whether `make dist` gives the same bytes a second time
	tests/dist/again
