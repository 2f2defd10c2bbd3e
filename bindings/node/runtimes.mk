# The versions of Node that the suite runs with, and Bun and Deno: binaries of the npm registry, in build/runtimes.
# The addon is built once: Node-API and what it uses of libuv are the same in all of them.

NODE_VERSIONS := 20.20.2 22.23.3 24.21.0 26.10.0
BUN_VERSION := 1.4.5
DENO_VERSION := 2.9.6

RUNTIMES := $(CURDIR)/build/runtimes
MACHINE := $(if $(filter aarch64,$(shell uname -m)),arm64,x64)
BUN_PACKAGE := @oven/bun-linux-$(if $(filter arm64,$(MACHINE)),aarch64,x64)
DENO_PACKAGE := @deno/linux-$(MACHINE)-glibc

node_of = $(RUNTIMES)/node-$(1)/node_modules/node-linux-$(MACHINE)/bin/node
NODES := $(foreach version,$(NODE_VERSIONS),$(call node_of,$(version)))
OLDEST_AND_NEWEST := $(firstword $(NODES)) $(lastword $(NODES))
BUN := $(RUNTIMES)/bun-$(BUN_VERSION)/node_modules/$(BUN_PACKAGE)/bin/bun
DENO := $(RUNTIMES)/deno-$(DENO_VERSION)/node_modules/$(DENO_PACKAGE)/deno

# $(1): the folder, $(2): the package with its version
fetch_runtime = mkdir -p $(1) && npm install --prefix $(1) --no-save --no-package-lock --ignore-scripts \
	--no-audit --no-fund --loglevel=error $(2) && touch $@

$(NODES): $(RUNTIMES)/node-%/node_modules/node-linux-$(MACHINE)/bin/node:
	$(call fetch_runtime,$(RUNTIMES)/node-$*,node-linux-$(MACHINE)@$*)
$(BUN):
	$(call fetch_runtime,$(RUNTIMES)/bun-$(BUN_VERSION),$(BUN_PACKAGE)@$(BUN_VERSION))
	chmod +x $@
$(DENO):
	$(call fetch_runtime,$(RUNTIMES)/deno-$(DENO_VERSION),$(DENO_PACKAGE)@$(DENO_VERSION))
	chmod +x $@

.PHONY: test-node test-node-all test-node-types
test-node-types: polyproc-node
	cd bindings/node && npm run test:types

test-node: test-node-types $(OLDEST_AND_NEWEST)
	cd bindings/node && test/with $(OLDEST_AND_NEWEST)

test-node-all: test-node-types $(NODES) $(BUN) $(DENO) ## the Node binding with each version of Node, and with Bun and Deno
	cd bindings/node && test/with $(NODES)
	cd bindings/node && POLYPROC_RUNTIMES="$$(printf '%s\n' '$(BUN)' '$(DENO) run --allow-all')" \
	    node --test test/runtimes/
