"""Pools across languages: the workers, or the owner of the pool, are programs in Go, Node, C, ...

Functions have names, and get and return one value each:

    # the worker program
    from polyproc.workers import run_worker
    run_worker({"square": lambda number: number * number})

    # the owner, in Python or any other language
    with WorkerPool(["python3", "worker.py"]) as pool:
        pool.apply("square", 3)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from multiprocessing import TimeoutError
from typing import Any

from . import _core
from .errors import WorkerDied

__all__ = ["TaskFailed", "WorkerPool", "WorkerTask", "run_worker"]

_Codec = tuple[Callable[[Any], bytes], Callable[[bytes], Any]]
_CODECS: dict[str, _Codec] = {
    "msgpack": (_core.pack, _core.unpack),
    "bytes": (bytes, bytes),
}
# From the table of statuses, src/status.rs.
_OK, _CANCELED, _SHUTDOWN, _NOT_FOUND, _WORKER_DIED = 0, -5, -8, -14, -26


def _codec(format: str) -> _Codec:
    codec = _CODECS.get(format)
    if codec is None:
        raise ValueError(f"format is {format!r}, not one of {', '.join(_CODECS)}")
    return codec


class TaskFailed(Exception):
    """The function of a task failed: the exception's text is its message."""


class WorkerTask:
    """A task of a `WorkerPool`."""

    def __init__(self, task: _core.ProgramTask, load: Callable[[bytes], Any]) -> None:
        self._task = task
        self._load = load

    def get(self, timeout: float | None = None) -> Any:
        """The result. TaskFailed, WorkerDied, LookupError (the worker knows no such function);
        TimeoutError after the timeout."""
        outcome = self._task.outcome(timeout)
        if outcome is None:
            raise TimeoutError
        status, data = outcome
        if status == _OK:
            return self._load(data)
        text = data.decode(errors="replace")
        if status == _WORKER_DIED:
            raise WorkerDied(text or "the worker of the task was killed")
        if status == _NOT_FOUND:
            raise LookupError(text)
        if status in (_CANCELED, _SHUTDOWN):
            raise RuntimeError("the task was canceled, or the pool terminated")
        raise TaskFailed(text)

    def cancel(self) -> bool:
        """Keep the task from being started. Return whether that came in time."""
        return self._task.cancel()


class WorkerPool:
    """Worker programs in any language, and their tasks: a function's name, and a value."""

    def __init__(
        self,
        argv: Iterable[str],
        workers: int = 0,
        *,
        format: str = "msgpack",
        max_tasks_per_worker: int = 0,
        max_attempts: int = 1,
    ) -> None:
        self._dump, self._load = _codec(format)
        self._pool = _core.ProgramPool(list(argv), workers, max_tasks_per_worker, max_attempts)

    def submit(self, function: str, value: Any) -> WorkerTask:
        """Have a worker call its function of that name."""
        return WorkerTask(self._pool.submit(function, self._dump(value)), self._load)

    def apply(self, function: str, value: Any, timeout: float | None = None) -> Any:
        """Have a worker call its function of that name, and return the result."""
        return self.submit(function, value).get(timeout)

    def map(self, function: str, values: Iterable[Any]) -> Iterator[Any]:
        """The results for several values, in order."""
        tasks = [self.submit(function, value) for value in values]
        return (task.get() for task in tasks)

    def worker_pids(self) -> list[int]:
        """The numbers of the worker processes."""
        return self._pool.worker_pids()

    def shutdown(self) -> None:
        """Accept no more tasks."""
        self._pool.shutdown()

    def terminate(self) -> None:
        """End the workers; tasks that are not over fail."""
        self._pool.terminate()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until all tasks are over and the workers gone. False after the timeout."""
        return self._pool.join(timeout)

    def close(self) -> None:
        """Kill the workers."""
        self._pool.close()

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def run_worker(functions: Mapping[str, Callable[[Any], Any]], *, format: str = "msgpack") -> None:
    """Be a worker of the pool that has started this program: call these functions until the pool is
    shut down."""
    dump, load = _codec(format)
    for name, function in functions.items():
        _core.register_function(name, lambda data, function=function: dump(function(load(data))))  # type: ignore[misc]
    _core.run_worker()
