"""Run CPython's own tests of multiprocessing against polyproc: with one import changed.

    python run.py <directory for generated files> [--short] [fork|spawn|forkserver|locks|futures]

The tests come from the `test` package of this interpreter, or of Debian's package with the rest of
that package. Each test that does not apply is in exclusions.txt, with its reason.
"""

import faulthandler
import importlib.util
import os
import pathlib
import re
import sys
import tempfile
import time
import unittest
from collections.abc import Iterable
from fnmatch import fnmatchcase

from test.support.os_helper import TESTFN

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = "polyproc_cpython"
METHODS = ("fork", "spawn", "forkserver")

#: With --short, of some parts only the tests to which it matters most how a process starts: the
#: other tests run with fork.
STARTED = ("*Process.*", "*TestQueue.*", "*Lock.*", "*TestEvent.*", "*TestPool.*", "*Connection*")
SHORT = {
    "spawn": (*STARTED, "TestStartMethod.*"),
    "forkserver": (*STARTED, "TestStartMethod.*"),
    # Of fork and forkserver, the names of the second go on with a small letter.
    "futures": ("ProcessPoolFork[A-Z]*", "ProcessPool*ExecutorTest.*", "*InitializerTest.*"),
}

LOCKS = """\
import unittest
import polyproc
from test import lock_tests

class Lock(lock_tests.LockTests):
    locktype = staticmethod(polyproc.Lock)
class RLock(lock_tests.RLockTests):
    locktype = staticmethod(polyproc.RLock)
class Event(lock_tests.EventTests):
    eventtype = staticmethod(polyproc.Event)
class Condition(lock_tests.ConditionTests):
    condtype = staticmethod(polyproc.Condition)
class Semaphore(lock_tests.SemaphoreTests):
    semtype = staticmethod(polyproc.Semaphore)
class BoundedSemaphore(lock_tests.BoundedSemaphoreTests):
    semtype = staticmethod(polyproc.BoundedSemaphore)
class Barrier(lock_tests.BarrierTests):
    barriertype = staticmethod(polyproc.Barrier)
"""

#: The tests of Condition look into its semaphores between their steps. Ours has none.
WITHOUT_INVARIANT = """
_TestCondition.check_invariant = lambda self, cond: None
"""

WITH_METHOD = """\
from {package} import _test_multiprocessing
_test_multiprocessing.install_tests_in_module_dict(globals(), "{method}")
"""


def with_the_import_changed(source: str) -> str:
    """Every import of multiprocessing, also in the programs that the tests run."""
    source = re.sub(
        r"^(\s*)import multiprocessing((?:\.\w+)+)$",
        r"\1import polyproc.multiprocessing\2; from polyproc import multiprocessing",
        source,
        flags=re.M,
    )
    source = re.sub(
        r"^(\s*)import multiprocessing as (\w+)",
        r"\1import polyproc.multiprocessing as \2",
        source,
        flags=re.M,
    )
    source = re.sub(
        r"^(\s*)import multiprocessing$",
        r"\1import polyproc.multiprocessing as multiprocessing",
        source,
        flags=re.M,
    )
    return re.sub(
        r"^(\s*)from multiprocessing((?:\.\w+)*) import ",
        r"\1from polyproc.multiprocessing\2 import ",
        source,
        flags=re.M,
    )


def source_of(module: str, testsuite: pathlib.Path) -> str:
    spec = importlib.util.find_spec(module)
    if spec is not None and spec.origin:
        return pathlib.Path(spec.origin).read_text()
    (found,) = testsuite.rglob(module.split(".")[-1] + ".py")
    return found.read_text()


def on_the_path(target: pathlib.Path) -> str:
    """A line that lets a program find the package of generated files."""
    return f"import sys; sys.path.insert(0, {str(target)!r})\n"


def generate(target: pathlib.Path, parts: list[str]) -> None:
    package = target / PACKAGE
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text("")
    if set(parts) & set(METHODS):
        tests = source_of("test._test_multiprocessing", target)
        tests = with_the_import_changed(tests) + WITHOUT_INVARIANT
        # The fork server imports the tests once, instead of each process.
        preloaded = "'test.test_multiprocessing_forkserver'"
        assert preloaded in tests
        tests = tests.replace(preloaded, f"'{PACKAGE}.test_forkserver'")
        (package / "_test_multiprocessing.py").write_text(tests)
        for program in ("mp_fork_bomb", "mp_preload"):
            text = with_the_import_changed(source_of(f"test.{program}", target))
            text = text.replace(f'"test.{program}"', f'"{PACKAGE}.{program}"')
            (package / f"{program}.py").write_text(on_the_path(target) + text)
    for method in METHODS:
        text = WITH_METHOD.format(package=PACKAGE, method=method)
        (package / f"test_{method}.py").write_text(text)
    (package / "test_locks.py").write_text(LOCKS)
    if "futures" in parts:
        text = source_of("test.test_concurrent_futures", target)
        text = with_the_import_changed(text)
        for old, new in (
            ("futures.ProcessPoolExecutor", "polyproc.ProcessPoolExecutor"),
            # In the programs that the tests run.
            ("from concurrent.futures import {exe", "from polyproc import {exe"),
            (
                "from test.test_concurrent_futures import",
                f"{on_the_path(target).strip()}; from {PACKAGE}.test_futures import",
            ),
        ):
            assert old in text, old
            text = text.replace(old, new)
        (package / "test_futures.py").write_text("import polyproc\n" + text)


def exclusions() -> dict[str, str]:
    """Of each pattern of excluded tests, `Class.test` or `part/Class.test`, the reason."""
    reasons = {}
    reason = ""
    for line in (HERE / "exclusions.txt").read_text().splitlines():
        if line.startswith("# "):
            continue
        if line.startswith("    "):
            reasons[line.strip()] = reason
        elif line:
            reason = line
    return reasons


def each(suite: unittest.TestSuite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from each(test)
        else:
            yield test


class Result(unittest.TextTestResult):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.times = []

    def startTest(self, test):
        super().startTest(test)
        self.begin = time.monotonic()
        # A test that hangs tells where.
        faulthandler.dump_traceback_later(240, exit=True)

    def addError(self, test, error):
        super().addError(test, error)
        # Known also if a later test hangs.
        print(f" {test.id()} ", flush=True)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        print(f" {test.id()} ", flush=True)

    def stopTest(self, test):
        self.times.append((time.monotonic() - self.begin, test.id()))
        if os.path.exists(TESTFN):
            # A later test that makes it anew would fail, and not this one.
            os.unlink(TESTFN)
            self.addError(test, _error(f"left the file {TESTFN}"))
        super().stopTest(test)


def _error(text: str):
    try:
        raise AssertionError(text)
    except AssertionError:
        return sys.exc_info()


def is_any(test: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(test, pattern) for pattern in patterns)


def run(part: str, only: str, is_short: bool) -> bool:
    loader = unittest.TestLoader()
    module = importlib.import_module(f"{PACKAGE}.test_{part}")
    suite = unittest.TestSuite()
    excluded = exclusions()
    left_out = 0
    for test in each(loader.loadTestsFromModule(module)):
        name = ".".join(test.id().split(".")[-2:])
        if only not in name:
            continue
        if is_short and not is_any(name, SHORT.get(part, "*")):
            continue
        if is_any(name, excluded) or is_any(f"{part}/{name}", excluded):
            left_out += 1
        elif "ThreadPool" not in name and not name.startswith("WithThreads"):
            # Threads are not ours.
            suite.addTest(test)
    runner = unittest.TextTestRunner(stream=sys.stdout, verbosity=1, resultclass=Result)
    result = runner.run(suite)
    faulthandler.cancel_dump_traceback_later()
    skipped = len(result.skipped)
    bad = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    print(
        f"{part}: {result.testsRun} ran, {result.testsRun - skipped - bad} passed, {bad} failed, "
        f"{skipped} skipped by CPython itself, {left_out} excluded"
    )
    for seconds, name in sorted(result.times, reverse=True)[:5]:
        print(f"    {seconds:6.1f} s  {name.removeprefix(PACKAGE + '.')}")
    return bad == 0


def main() -> int:
    target = pathlib.Path(sys.argv[1]).resolve()
    parts = [part for part in sys.argv[2:] if not part.startswith("-")]
    only = next((part[2:] for part in sys.argv[2:] if part.startswith("-k")), "")
    parts = parts or [*METHODS, "locks"]
    generate(target, parts)
    sys.path.insert(0, str(target))
    # The fork server does not get the path.
    os.environ["PYTHONPATH"] = str(target)
    is_short = "--short" in sys.argv
    sys.argv = sys.argv[:1]
    # The tests make files with the number of this process in their names. As in CPython's own
    # runner, no other process that has or had the number uses the folder.
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        good = all([run(part, only, is_short) for part in parts])
        os.chdir("/")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
