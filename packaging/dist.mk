# `make dist`: every package into dist/, and `make test-dist`: each of them installed where there is neither Rust nor this
# repository. Included by the Makefile, last, so that a binding adds its own package: DIST_PARTS += dist-python.

# The platforms that can be built here; a platform whose Rust target cannot be had is left out by name.
PLATFORMS ?= linux-x64 linux-arm64 linux-x64-musl linux-arm64-musl
DIST_PARTS += dist-c dist-command dist-deb dist-go dist-npm dist-crate dist-python

.PHONY: dist dist-libraries dist-legal $(DIST_PARTS)
dist: ## every package, with checksums, into dist/ (PLATFORMS="linux-x64" for one platform)
	rm -rf dist build/dist/lib
	$(MAKE) $(DIST_PARTS)
	cd dist && find . -type f ! -name SHA256SUMS -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' sha256sum > SHA256SUMS
	@cat dist/SHA256SUMS

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

# From another folder, as another user's checkout would lie: the sums must be the same.
test-dist-again: ## whether `make dist` gives the same bytes a second time
	tests/dist/again
