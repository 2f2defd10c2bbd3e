# The book in docs/book. Included by the Makefile; builds into build/book.
MDBOOK := build/tools/mdbook/bin/mdbook

$(MDBOOK): docs/book/requirements.txt
	rm -rf build/tools/mdbook
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --require-hashes \
	    --target build/tools/mdbook --requirement $<
	touch $@

# The files of the repository to which the book leads, and the documentation of the crate.
.PHONY: docs book test-docs
book: $(MDBOOK)
	$(MDBOOK) build docs/book 2> build/docs.log || { cat build/docs.log; exit 1; }
	@! grep -E 'WARN|ERROR' build/docs.log
	@while read -r file; do mkdir -p "build/book/source/$$(dirname "$$file")" && cp "$$file" "build/book/source/$$file"; done < build/docs/sources

docs: book ## the book with the documentation of the Rust crate, in build/book
	$(CARGO) doc --quiet --locked --no-deps --package polyproc --features serde,tokio
	rm -rf build/book/rust && cp -r target/doc build/book/rust
	@echo "build/book/index.html"

# Every link, also of the built book, and where every block of code comes from. The programs
# themselves are run by patterns-test, examples-test, headers-test, test-readme and test-dist.
test-docs: docs ## the book's links and blocks of code
	node --test tests/docs/

.PHONY: docs-recording
docs-recording: headers-build ## records a run of `make demo` for README.md, in docs/book/demo.svg
	$(PYTHON) docs/book/record.py

.PHONY: docs-session
docs-session: headers-build cli ## records the session of the page about the command, on standard output (INPUT=dir)
	@unshare --mount sh -c 'mount -t tmpfs none /dev/shm && exec $(PYTHON) docs/book/session.py'
