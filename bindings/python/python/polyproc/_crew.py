"""The parts of a pool in its own process: the workers, the tasks that are not over, and
whoever reads the reports.

A thread that waits for a result reads the reports itself, one thread at a time. A thread of the
pool reads them only for tasks with a callback, and for imap. Another thread replaces workers that
have ended.
"""

from __future__ import annotations

import collections
import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import wait as wait_for
from typing import Any

from . import _worker, queues
from ._core import Event, get_reports, loads, put_task
from .errors import Empty, ShutDown

RUN, CLOSE, TERMINATE = "RUN", "CLOSE", "TERMINATE"

#: How many reports are read in one call.
_BATCH = 64
#: How many tasks of an imap wait or run, for each worker.
_FED = 64


def _why_ended(failure: BaseException | None) -> BaseException:
    return failure or RuntimeError("the pool was terminated")


class Outcome:
    """An object that receives the outcome of tasks, each with its place among them."""

    def _resolve(self, place: int, is_success: bool, value: Any) -> None:
        raise NotImplementedError

    def _load(self, place: int, data: bytes) -> Any:
        """The value for `_resolve` of a task that has succeeded."""
        return loads(data)

    def _fed(self, count: int) -> None:
        raise NotImplementedError


class Crew:
    """The workers of a pool, its tasks that are not over, and their reports."""

    def __init__(
        self,
        ctx: Any,
        size: int,
        initializer: Callable[..., object] | None,
        initargs: tuple[Any, ...],
        max_tasks: int | None,
        max_attempts: int,
        style: str = _worker.POOL,
    ) -> None:
        self.ctx = ctx
        self.size = size
        self.state = RUN
        self.failure: BaseException | None = None
        self.why_ended = _why_ended
        self.workers: list[Any] = []
        # By their numbers, the tasks that are not over: who gets the outcome, and the task's place
        # there.
        self.open: dict[int, tuple[Outcome, int]] = {}
        self.numbers = itertools.count(1)
        # Without the interpreter lock, two threads may get the same number of a count.
        self.numbering = threading.Lock()
        self.tasks: queues.Queue[bytes] = queues.Queue(format="bytes")
        self.reports: queues.Queue[bytes] = queues.Queue(format="bytes")
        self.arguments = (
            self.tasks, self.reports, initializer, initargs, max_tasks, max_attempts, style,
        )  # fmt: skip
        # Reports that were read and not delivered yet. Only the reading thread uses them.
        self.unread: collections.deque[tuple[int, int, bool, Any]] = collections.deque()
        # Guards what follows, and tells of every outcome.
        self.changed = threading.Condition()
        self.is_reading = False
        self.collector: threading.Thread | None = None
        self.feeder: threading.Thread | None = None
        self.to_feed: collections.deque[tuple[Outcome, Iterator[Any]]] = collections.deque()
        self.are_gone = threading.Event()
        # Wakes the thread that replaces workers.
        self.wake = Event()
        try:
            self.replace_dead()
        except BaseException:
            for worker in self.workers:
                worker.terminate()
            for worker in self.workers:
                worker.join()
            raise
        self.keeper = threading.Thread(
            target=_keep, args=(self,), name="polyproc-pool", daemon=True
        )
        self.keeper.start()

    # --- tasks

    def submit(
        self,
        outcome: Outcome,
        place: int,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwds: dict[str, Any],
    ) -> None:
        """Hand a task to the workers. If that fails, the error is the outcome of the task."""
        with self.numbering:
            number = next(self.numbers)
        self.open[number] = outcome, place
        try:
            put_task(self.tasks, number, (func, args, kwds))
        except ShutDown:
            pass
        except BaseException as error:
            # SystemExit too: the task's objects decide what pickling raises.
            self._end(number, False, error)
            self._tell()
            if isinstance(error, KeyboardInterrupt):
                raise
        if self.failure is not None or self.state is TERMINATE:
            self._end_all()

    def feed(
        self, outcome: Outcome, tasks: Iterable[tuple[Callable[..., Any], tuple[Any, ...]]]
    ) -> None:
        """Hand over tasks one by one, in a thread of the pool, as many as are needed to keep the
        workers busy."""
        self.collect_in_background()
        with self.changed:
            self.to_feed.append((outcome, iter(tasks)))
            if self.feeder is None:
                self.feeder = threading.Thread(
                    target=_feed, args=(self,), name="polyproc-feed", daemon=True
                )
                self.feeder.start()
            self.changed.notify_all()

    def _feed_one(self, outcome: Outcome, tasks: Iterator[Any]) -> None:
        count = 0
        limit = _FED * self.size
        while True:
            with self.changed:
                while len(self.open) >= limit and self.state is not TERMINATE:
                    self.changed.wait()
            if self.state is TERMINATE:
                break
            try:
                func, args = next(tasks)
            except StopIteration:
                break
            except Exception as error:
                # Its place is behind the items that were there.
                outcome._resolve(count, False, error)
                count += 1
                break
            self.submit(outcome, count, func, args, {})
            count += 1
        outcome._fed(count)
        self._tell()

    # --- reports

    def wait(self, is_over: Callable[[], bool], timeout: float | None = None) -> None:
        """Wait until `is_over()`: by reading reports, or while another thread reads them."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not is_over():
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                # Once more, if nobody else reads.
                self.collect()
                return
            with self.changed:
                if is_over():
                    return
                if self.is_reading:
                    self.changed.wait(left)
                    continue
                self.is_reading = True
            self._read(left is None or left > 0, left)

    def collect(self) -> None:
        """Read the reports that are there."""
        with self.changed:
            if self.is_reading:
                return
            self.is_reading = True
        self._read(False, None)

    def _tell(self) -> None:
        """A task ended without a report: the waiting threads look again."""
        with self.changed:
            self.changed.notify_all()
            if self.is_reading:
                self.reports.put(_worker.REPORT.pack(0, 0))

    def _read(self, block: bool, timeout: float | None) -> None:
        try:
            if not self.unread:
                self.unread.extend(get_reports(self.reports, _BATCH, block, timeout))
            while self.unread:
                # A report whose reading is interrupted is read again, by the next reader.
                self._report(self.unread[0])
                self.unread.popleft()
        except Empty:
            pass
        finally:
            with self.changed:
                self.is_reading = False
                self.changed.notify_all()

    def _report(self, report: tuple[int, int, bool, Any]) -> None:
        number, kind, is_loaded, value = report
        if is_loaded:
            self._end(number, kind == _worker.SUCCESS, value)
        elif number == _worker.NO_START:
            self._break(_try(loads, value)[1])
        elif waiting := self.open.get(number):
            outcome, place = waiting
            if kind == _worker.SUCCESS:
                self._end(number, *_try(outcome._load, place, value))
            else:
                self._end(number, False, _try(loads, value)[1])

    def _end(self, number: int, is_success: bool, value: Any) -> None:
        try:
            outcome, place = self.open.pop(number)
        except KeyError:
            # Another thread was faster: the pool is terminated.
            return
        try:
            outcome._resolve(place, is_success, value)
        except Exception:
            # A callback has failed. It concerns neither the reader nor other tasks.
            sys.excepthook(*sys.exc_info())
        if not self.open:
            self.wake.set()

    def _break(self, failure: BaseException) -> None:
        """The workers do not start."""
        if self.failure is None:
            self.failure = failure
        self.terminate()

    def _end_all(self) -> None:
        why = self.why_ended(self.failure)
        for number in list(self.open):
            self._end(number, False, why)
        self._tell()

    def collect_in_background(self) -> None:
        """Let a thread read the reports from now on."""
        with self.changed:
            if self.collector is None:
                self.collector = threading.Thread(
                    target=_collect, args=(self,), name="polyproc-reports", daemon=True
                )
                self.collector.start()

    # --- workers

    def replace_dead(self) -> None:
        """Forget workers that have ended, and start as many as are missing."""
        for worker in [worker for worker in self.workers if worker.exitcode is not None]:
            worker.join()
            self.workers.remove(worker)
        while len(self.workers) < self.size:
            worker = self.ctx.Process(target=_worker.work, args=self.arguments, daemon=True)
            worker.name = worker.name.replace("Process", "PoolWorker")
            worker.start()
            self.workers.append(worker)

    def close(self) -> None:
        if self.state is RUN:
            self.state = CLOSE
        self.wake.set()
        with self.changed:
            self.changed.notify_all()

    def terminate(self) -> None:
        self.state = TERMINATE
        self.tasks.shutdown(True)
        self.wake.set()
        self._end_all()
        if threading.current_thread() not in (self.keeper, self.collector):
            self.are_gone.wait()

    def join(self) -> None:
        """Wait until all tasks are over and the workers gone."""
        self.wait(self._is_idle)
        self.are_gone.wait()
        for thread in (self.keeper, self.feeder, self.collector):
            if thread is not None and thread is not threading.current_thread():
                thread.join()

    def _is_idle(self) -> bool:
        return self.state is TERMINATE or not (self.open or self.to_feed)

    def _kill(self) -> None:
        for worker in self.workers:
            if worker.exitcode is None:
                worker.terminate()
        deadline = time.monotonic() + 2
        for worker in self.workers:
            worker.join(max(0.0, deadline - time.monotonic()))
            if worker.exitcode is None:
                worker.kill()
                worker.join()
        self.workers.clear()


def _try(load: Callable[..., Any], *arguments: Any) -> tuple[bool, Any]:
    try:
        return True, load(*arguments)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # SystemExit too: the result's objects decide what unpickling raises.
        return False, error


def _keep(crew: Crew) -> None:
    """Replace workers that have ended, until the pool is closed and its tasks are over."""
    while True:
        crew.wake.clear()
        if crew.state is TERMINATE:
            crew._kill()
            break
        if crew.state is CLOSE and crew._is_idle():
            crew.tasks.shutdown()
            for worker in crew.workers:
                worker.join()
            crew.workers.clear()
            break
        try:
            crew.replace_dead()
        except Exception as error:
            crew._break(error)
            continue
        sources: list[Any] = [crew.wake, *(worker.sentinel for worker in crew.workers)]
        wait_for(sources)
    crew.are_gone.set()
    crew._tell()


def _collect(crew: Crew) -> None:
    crew.wait(lambda: crew.are_gone.is_set() and not crew.open)


def _feed(crew: Crew) -> None:
    while True:
        with crew.changed:
            while not crew.to_feed:
                if crew.state is not RUN:
                    return
                crew.changed.wait()
            outcome, tasks = crew.to_feed[0]
        crew._feed_one(outcome, tasks)
        with crew.changed:
            crew.to_feed.popleft()
        crew.wake.set()
