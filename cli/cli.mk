# The command `polyproc`, which has dependencies of its own. Included by the Makefile.

POLYPROC_BIN := target/cli/polyproc
CLI_FILES := build/cli

.PHONY: cli test-cli lint-cli
cli: ## the command polyproc, in target/cli, its completions and manual pages in build/cli
	@$(CARGO) build --quiet --locked --profile cli --package polyproc-cli
	@mkdir -p $(CLI_FILES)/man
	@for shell in bash fish zsh; do $(POLYPROC_BIN) completions $$shell > $(CLI_FILES)/polyproc.$$shell; done
	@$(POLYPROC_BIN) man --directory $(CLI_FILES)/man

# The same profile as `make cli`, so that its dependencies are built once.
test-cli: ## the command's tests
	$(CARGO) test --locked --profile cli --package polyproc-cli

lint-cli:
	$(CARGO) fmt --check --package polyproc-cli
	$(CARGO) clippy --locked --package polyproc-cli --all-targets -- -D warnings
