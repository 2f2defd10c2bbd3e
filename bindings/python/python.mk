# The Python binding: built by maturin, tested in a virtual environment. Included by the Makefile.

PYTHON ?= python3
PYTHON_DIR := bindings/python
PYTHON_VENV := build/python/venv
PYTHON_BIN := $(CURDIR)/$(PYTHON_VENV)/bin
PYTHON_WHEELS := build/python/wheels
PYTHON_SOURCES := $(PYTHON_DIR) benches/python examples/tutorial examples/patterns docs/book tests/interop/python
# CPython's tests: with FULL=1 all of them with each start method; otherwise those with spawn and
# forkserver to which it matters.
PYTHON_CPYTHON := $(if $(FULL),,--short) locks fork spawn forkserver futures

.PHONY: python-wheel python-install test-python test-python-all lint-python
$(PYTHON_VENV)/.installed: $(PYTHON_DIR)/requirements.txt
	$(PYTHON) -m venv $(PYTHON_VENV)
	$(PYTHON_BIN)/pip install --quiet --requirement $<
	touch $@

python-wheel: $(PYTHON_VENV)/.installed ## the wheel for Python 3.10 and later, in build/python/wheels
	rm -rf $(PYTHON_WHEELS)
	cd $(PYTHON_DIR) && $(PYTHON_BIN)/maturin build --quiet --release --locked --out $(CURDIR)/$(PYTHON_WHEELS)

python-install: python-wheel
	$(PYTHON_BIN)/pip install --quiet --force-reinstall --no-deps $(PYTHON_WHEELS)/*.whl

test-python: python-install build/python/testsuite/.unpacked ## Python: our tests, and CPython's own with one import changed (FULL=1: all with every start method)
	# A run that hangs is ended, and prints where each thread is.
	cd $(PYTHON_DIR)/tests && timeout --signal=ABRT 900 $(PYTHON_BIN)/python -X faulthandler -m unittest
	cd $(PYTHON_DIR)/tests/types && $(PYTHON_BIN)/mypy --strict everything.py && $(PYTHON_BIN)/pyright --pythonpath $(PYTHON_BIN)/python everything.py
	timeout --signal=ABRT $(if $(FULL),3600,1200) $(PYTHON_BIN)/python -X faulthandler $(PYTHON_DIR)/tests/cpython/run.py build/python/testsuite $(PYTHON_CPYTHON)

# The one wheel is for all versions: a function that an older one does not have fails when it is loaded.
PYTHONS ?= $(foreach version,10 12 13 14,$(shell command -v python3.$(version))) $(wildcard $(HOME)/.pyenv/versions/3.1[0234].*/bin/python3)
test-python-all: python-wheel ## our tests of Python with each of PYTHONS="python3.10 python3.13 ..."; by default those of pyenv
	set -e; for python in $(PYTHONS); do \
	    "$$python" --version || continue; \
	    venv=$(CURDIR)/build/python/venv-$$("$$python" -c 'import platform; print(platform.python_version())'); \
	    "$$python" -m venv $$venv; \
	    $$venv/bin/pip install --quiet $$(grep ^numpy $(PYTHON_DIR)/requirements.txt); \
	    $$venv/bin/pip install --quiet --force-reinstall --no-deps $(PYTHON_WHEELS)/*.whl; \
	    (cd $(PYTHON_DIR)/tests && timeout --signal=ABRT 900 $$venv/bin/python -X faulthandler -m unittest); \
	done

# An interpreter comes with some of its tests only; the others are in a package of Debian.
build/python/testsuite/.unpacked:
	mkdir -p $(@D)
	cd $(@D) && { apt-get download -qq libpython3.11-testsuite || { apt-get update -qq && apt-get download -qq libpython3.11-testsuite; }; }
	cd $(@D) && dpkg-deb --extract libpython3.11-testsuite_*.deb .
	touch $@

lint-python: $(PYTHON_VENV)/.installed
	$(PYTHON_BIN)/ruff check --quiet --config $(PYTHON_DIR)/pyproject.toml $(PYTHON_SOURCES)
	$(PYTHON_BIN)/ruff format --quiet --check --config $(PYTHON_DIR)/pyproject.toml $(PYTHON_SOURCES)
	cd $(PYTHON_DIR) && $(PYTHON_BIN)/mypy --strict --cache-dir $(CURDIR)/build/python/mypy python/polyproc
	# A CPython without the interpreter lock is in no registry: for that one it is compiled, and no test runs.
	PYO3_CONFIG_FILE=$(CURDIR)/$(PYTHON_DIR)/tests/free-threaded.config $(CARGO) clippy --quiet --locked \
	    --package polyproc-python --target-dir target/free-threaded -- -D warnings
