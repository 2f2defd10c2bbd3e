"""An executor of concurrent.futures. A worker that is killed costs its own task, never the
executor."""

from __future__ import annotations

import atexit
import collections
import itertools
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from ._crew import Crew, Outcome
from ._worker import EXECUTOR, starcall_chunk
from .errors import WorkerDied

__all__ = ["BrokenProcessPool", "CallWorkerDied", "ProcessPoolExecutor"]

#: Tasks beyond one for each worker that are handed over, and can be canceled no more.
_AHEAD = 1

_open: weakref.WeakSet[ProcessPoolExecutor] = weakref.WeakSet()


class CallWorkerDied(WorkerDied, BrokenProcessPool):
    """The worker of a call was killed. The executor is not broken; but code that was written for
    Python's executor handles a death as BrokenProcessPool."""


class _Call(Outcome):
    """A call whose outcome is that of a future."""

    def __init__(self, executor: _State, future: Future[Any], call: tuple[Any, Any, Any]) -> None:
        self.executor = executor
        self.future = future
        self.call = call

    def _resolve(self, place: int, is_success: bool, value: Any) -> None:
        future, self.call = self.future, (None, (), {})
        if is_success:
            future.set_result(value)
        else:
            if isinstance(value, WorkerDied):
                value = CallWorkerDied(*value.args)
            future.set_exception(value)
        self.executor.ended()


class _State:
    """The state that the executor and its calls share."""

    def __init__(self, crew: Crew) -> None:
        self.crew = crew
        self.lock = threading.Lock()
        self.waiting: collections.deque[_Call] = collections.deque()
        self.running = 0
        self.is_shut_down = False
        self.is_handing_over = False

    def ended(self) -> None:
        with self.lock:
            self.running -= 1
        self.hand_over()

    def hand_over(self) -> None:
        """Hand calls to the workers, so many that no worker waits for the next."""
        with self.lock:
            if self.is_handing_over:
                # The one who does sees what has changed. It may be a caller of this: a call that
                # cannot be pickled ends at once.
                return
            self.is_handing_over = True
        try:
            while call := self._next_call():
                self.crew.submit(call, 0, *call.call)
                del call
        except BaseException:
            with self.lock:
                self.is_handing_over = False
            raise
        self.close_if_done()

    def _next_call(self) -> _Call | None:
        with self.lock:
            while self.waiting and self.running < self.crew.size + _AHEAD:
                call = self.waiting.popleft()
                if call.future.set_running_or_notify_cancel():
                    self.running += 1
                    return call
            self.is_handing_over = False
            return None

    def close_if_done(self) -> None:
        if self.is_shut_down and not self.waiting and not self.running:
            self.crew.close()


class ProcessPoolExecutor(Executor):
    """An executor over worker processes.

    As `concurrent.futures.ProcessPoolExecutor`, which fails as a whole when one of its processes is
    killed. Here the task of that process is tried again until it has cost `max_attempts` workers,
    and fails then, with an error that is a `polyproc.WorkerDied` and a BrokenProcessPool; the other
    tasks go on."""

    def __init__(
        self,
        max_workers: int | None = None,
        mp_context: Any = None,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        *,
        max_tasks_per_child: int | None = None,
        max_attempts: int = 1,
    ) -> None:
        if max_workers is None:
            max_workers = os.cpu_count() or 1
        if max_workers <= 0:
            raise ValueError("max_workers must be greater than 0")
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        if max_tasks_per_child is not None:
            if not isinstance(max_tasks_per_child, int):
                raise TypeError("max_tasks_per_child must be an integer")
            if max_tasks_per_child <= 0:
                raise ValueError("max_tasks_per_child must be >= 1")
        from .context import BaseContext, default

        if mp_context is None:
            method = "spawn" if max_tasks_per_child is not None else None
            mp_context = default.get_context(method)
        elif not isinstance(mp_context, BaseContext):
            # Processes have to die with their parent, so they are polyproc's.
            mp_context = default.get_context(mp_context.get_start_method())
        self._max_workers = max_workers
        self._mp_context = mp_context
        crew = Crew(
            mp_context,
            max_workers,
            initializer,
            tuple(initargs),
            max_tasks_per_child,
            max_attempts,
            EXECUTOR,
        )
        crew.why_ended = _broken
        self._state = _State(crew)
        crew.collect_in_background()
        _open.add(self)
        self._finalizer = weakref.finalize(self, _shut_down, self._state, False)
        self._finalizer.atexit = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        state = self._state
        future: Future[Any] = Future()
        with state.lock:
            if state.crew.failure is not None:
                raise _broken(state.crew.failure)
            if state.is_shut_down:
                raise RuntimeError("cannot schedule new futures after shutdown")
            state.waiting.append(_Call(state, future, (fn, args, kwargs)))
        state.hand_over()
        return future

    def map(
        self,
        fn: Callable[..., Any],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        **options: Any,
    ) -> Iterator[Any]:
        if chunksize < 1:
            raise ValueError("chunksize must be >= 1.")
        if chunksize == 1:
            return super().map(fn, *iterables, timeout=timeout, **options)
        # The workers unpack the items of a chunk.
        items = zip(*iterables)
        chunks: list[tuple[Any, ...]] = []
        while chunk := tuple(itertools.islice(items, chunksize)):
            chunks.append(chunk)
        results = super().map(
            starcall_chunk, [fn] * len(chunks), chunks, timeout=timeout, **options
        )
        return _flat(results)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        _shut_down(self._state, cancel_futures)
        if wait:
            self._state.crew.join()

    @property
    def _processes(self) -> dict[int, Any]:
        return {worker.pid: worker for worker in self._state.crew.workers}

    @property
    def _broken(self) -> str | bool:
        failure = self._state.crew.failure
        return False if failure is None else str(_broken(failure))


def _flat(results: Iterator[list[Any]]) -> Iterator[Any]:
    for chunk in results:
        chunk.reverse()
        while chunk:
            yield chunk.pop()


def _broken(failure: BaseException | None) -> BaseException:
    if failure is None:
        return BrokenProcessPool("The executor was ended while the future was running or pending.")
    error = BrokenProcessPool(f"A worker could not be started: {failure}")
    error.__cause__ = failure
    return error


def _shut_down(state: _State, cancel_futures: bool) -> None:
    with state.lock:
        state.is_shut_down = True
        calls = list(state.waiting) if cancel_futures else []
        if cancel_futures:
            state.waiting.clear()
    for call in calls:
        call.future.cancel()
        call.future.set_running_or_notify_cancel()
    state.hand_over()


def _at_exit() -> None:
    """As with concurrent.futures, what was submitted is done before the interpreter ends."""
    for executor in list(_open):
        executor.shutdown(wait=True)


atexit.register(_at_exit)
