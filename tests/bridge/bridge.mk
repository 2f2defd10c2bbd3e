# The bridges to NATS JetStream under faults, beside a plain program, and the demo over three hosts.
# Included by the Makefile, after cli/cli.mk.
#
# The hosts are namespaces, so these need root; elsewhere they say that they are skipped.

NATS_SERVER_VERSION := 2.15.3
NATS_SERVER := build/tools/nats-server-$(NATS_SERVER_VERSION)/nats-server
BRIDGE_TESTS := build/bridge
BRIDGE_CARGO = --locked --profile cli --package polyproc-cli --features bridge
export NATS_SERVER

# From the Go module proxy, with the Go that is here.
$(NATS_SERVER):
	GOTOOLCHAIN=local CGO_ENABLED=0 GOBIN=$(CURDIR)/$(@D) \
	    go install -trimpath -ldflags='-s -w' github.com/nats-io/nats-server/v2@v$(NATS_SERVER_VERSION)

# A copy, since `make cli` builds a command without the bridge in the same place.
.PHONY: cli-bridge bridge-programs test-bridge test-bridge-short demo-cluster bench-bridge bridge-tools
cli-bridge: ## the command polyproc with `polyproc bridge`, in build/bridge
	$(CARGO) build $(BRIDGE_CARGO)
	@mkdir -p $(BRIDGE_TESTS)
	@cmp -s target/cli/polyproc $(BRIDGE_TESTS)/polyproc || cp target/cli/polyproc $(BRIDGE_TESTS)/polyproc

$(BRIDGE_TESTS)/producer: tests/bridge/producer.c include/polyproc.h $(POLYPROC_A)
	@mkdir -p $(@D)
	$(CC) -std=c99 -O2 -g -Wall -Wextra -Wpedantic -Wstrict-prototypes -Werror -Iinclude \
	    -o $@ $< $(POLYPROC_A) $(POLYPROC_LIBS)

$(BRIDGE_TESTS)/worker: $(POLYPROC_A) FORCE
	@mkdir -p $(@D)
	@rm -f $@
	cd tests/bridge/worker && go build -o $(CURDIR)/$@ .

.PHONY: bridge-operator
bridge-operator:
	@mkdir -p $(BRIDGE_TESTS)
	cd tests/bridge/operator && go build -o $(CURDIR)/$(BRIDGE_TESTS)/operator .

bridge-tools:
	@command -v openssl > /dev/null && { [ "$$(id -u)" != 0 ] || command -v ip > /dev/null; } || \
	    { apt-get update -qq && apt-get install -qq -y iproute2 openssl; }

bridge-programs: $(NATS_SERVER) cli-bridge $(BRIDGE_TESTS)/producer $(BRIDGE_TESTS)/worker bridge-operator polyproc-node bridge-tools

# What takes longest to build for later steps of `make test`: see test-core-and-builds.
.PHONY: build-ahead
build-ahead: $(NATS_SERVER) bridge-operator cli-bridge
	$(CARGO) test --no-run --locked --profile cli --package polyproc-cli

BRIDGE_NODE_TESTS := tests/bridge/*.test.mjs

test-bridge: bridge-programs ## the bridges over hosts made of namespaces, under faults: a table (SECONDS=600; ROW=name)
	$(CARGO) test $(BRIDGE_CARGO) --quiet --bin polyproc bridge::
	SECONDS=$(SECONDS) node tests/bridge/run.mjs "$(ROW)"
	node --test $(BRIDGE_NODE_TESTS)

# In `make test`: each fault once. What it does waits most of its time, so all rows run at the same time.
test-bridge-short: bridge-programs ## a minute of test-bridge: every fault once, except those of --ack on-arrival
	SHORT=1 SECONDS=20 AT_ONCE=20 node tests/bridge/run.mjs
	node --test $(BRIDGE_NODE_TESTS)

demo-cluster: bridge-programs headers-build ## the pipeline of `make demo` over three hosts, one of which is killed, and counted again (INPUT=dir)
	@node examples/headers/cluster/run.mjs

bench-bridge: $(NATS_SERVER) cli-bridge ## the bridges beside a plain program of async-nats (COUNT=n ROUNDS=n)
	$(CARGO) build $(BRIDGE_CARGO) --example plain_nats
	POLYPROC=$(CURDIR)/$(BRIDGE_TESTS)/polyproc PLAIN=$(CURDIR)/target/cli/examples/plain_nats NATS_SERVER=$(CURDIR)/$(NATS_SERVER) \
	    unshare --mount sh -c 'mount -t tmpfs none /dev/shm && exec node benches/bridge/run.mjs'
