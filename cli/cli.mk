# The command `polyproc`, which has dependencies of its own. Included by the Makefile, after
# packaging/install.mk, whose PREFIX and DESTDIR it uses.

POLYPROC_BIN := target/cli/polyproc
CLI_FILES := build/cli
CLI_PREFIX = $(DESTDIR)$(PREFIX)
CLI_TREE := $(CLI_FILES)/tree

.PHONY: cli cli-files test-cli test-install-cli lint-cli
cli: ## the command polyproc, in target/cli; its completions and manual pages in build/cli
	$(CARGO) build --locked --profile cli --package polyproc-cli
	@$(MAKE) --no-print-directory cli-files
	@echo "$(POLYPROC_BIN): copy it into a folder of PATH, or install it with its manual pages and completions:"
	@echo "    sudo make install-cli              # in $(PREFIX)"
	@echo "    make install-cli PREFIX=~/.local   # without root"

# Of any POLYPROC_BIN that runs here.
cli-files:
	@rm -rf $(CLI_FILES)
	@mkdir -p $(CLI_FILES)/man
	@for shell in bash fish zsh; do $(POLYPROC_BIN) completions $$shell > $(CLI_FILES)/polyproc.$$shell; done
	@$(POLYPROC_BIN) man --directory $(CLI_FILES)/man

# With the profile of `make cli`, so that its dependencies are built once. They need root, or a user
# who may make namespaces: each test has a /dev/shm of its own.
test-cli: cli ## the command's tests
	$(CARGO) test --locked --profile cli --package polyproc-cli
	$(MAKE) test-install-cli

test-install-cli:
	@$(MAKE) --no-print-directory install-cli DESTDIR=$(CURDIR)/$(CLI_TREE)
	@test "$$($(CLI_TREE)$(PREFIX)/bin/polyproc --version)" = "polyproc $(POLYPROC_VERSION)"
	@$(MAKE) --no-print-directory uninstall-cli DESTDIR=$(CURDIR)/$(CLI_TREE)
	@left=$$(find $(CLI_TREE) -type f) && test -z "$$left" || { echo "uninstall-cli leaves $$left" >&2; exit 1; }

# A browser is too much for `make test`. It leaves pictures of the page, light and dark.
.PHONY: test-page
test-page: cli ## clicks and reads the page of `polyproc page` in Chromium
	@command -v chromium > /dev/null || { apt-get update -qq && apt-get install -qq -y chromium; }
	cd cli/tests/page && npm ci --no-audit --no-fund
	cd cli/tests/page && POLYPROC=$(CURDIR)/$(POLYPROC_BIN) CHROMIUM=$$(command -v chromium) PICTURES=$(CURDIR)/build/page \
	    timeout 300 unshare --mount sh -c 'mount -t tmpfs none /dev/shm && exec node --test'

# promtool of Debian's package, unpacked and not installed.
PROMTOOL := build/tools/prometheus/usr/bin/promtool
ALERTS := examples/patterns/production

$(PROMTOOL):
	rm -rf build/tools/prometheus && mkdir -p build/tools/prometheus
	cd build/tools/prometheus && { apt-get download -qq prometheus 2> /dev/null || { apt-get update -qq && apt-get download -qq prometheus; }; }
	cd build/tools/prometheus && dpkg -x prometheus_*.deb . && rm prometheus_*.deb

.PHONY: test-alerts
test-alerts: $(PROMTOOL) cli ## the book's alert rules and dashboard with a real Prometheus that scrapes the exporter
	cd $(ALERTS) && $(CURDIR)/$(PROMTOOL) check rules alerts.yml && $(CURDIR)/$(PROMTOOL) test rules alerts.test.yml
	POLYPROC=$(CURDIR)/$(POLYPROC_BIN) PROMETHEUS=$(CURDIR)/$(dir $(PROMTOOL))prometheus PRODUCTION=$(CURDIR)/$(ALERTS) \
	    timeout 300 unshare --mount sh -c 'mount -t tmpfs none /dev/shm && exec node --test cli/tests/prometheus/'

lint-cli:
	$(CARGO) fmt --check --package polyproc-cli
	$(CARGO) clippy --locked --package polyproc-cli --features bridge --all-targets -- -D warnings

# As `make install`, it needs no cargo: `make cli && sudo make install-cli`.
.PHONY: install-cli uninstall-cli
install-cli: ## the command, its completions and manual pages, below PREFIX (DESTDIR=)
	@test -e $(POLYPROC_BIN) || { echo "make install-cli: run 'make cli' first" >&2; exit 1; }
	install -D -m 755 $(POLYPROC_BIN) $(CLI_PREFIX)/bin/polyproc
	install -D -m 644 $(CLI_FILES)/polyproc.bash $(CLI_PREFIX)/share/bash-completion/completions/polyproc
	install -D -m 644 $(CLI_FILES)/polyproc.fish $(CLI_PREFIX)/share/fish/vendor_completions.d/polyproc.fish
	install -D -m 644 $(CLI_FILES)/polyproc.zsh $(CLI_PREFIX)/share/zsh/site-functions/_polyproc
	install -d $(CLI_PREFIX)/share/man/man1
	install -m 644 $(CLI_FILES)/man/*.1 $(CLI_PREFIX)/share/man/man1/

uninstall-cli: ## remove what install-cli has put there
	rm -f $(CLI_PREFIX)/bin/polyproc $(CLI_PREFIX)/share/man/man1/polyproc.1 $(CLI_PREFIX)/share/man/man1/polyproc-*.1 \
	    $(CLI_PREFIX)/share/bash-completion/completions/polyproc $(CLI_PREFIX)/share/fish/vendor_completions.d/polyproc.fish \
	    $(CLI_PREFIX)/share/zsh/site-functions/_polyproc
