"""A worker process of a pool.

The worker takes a task, puts its report, and settles the task's message: `run_tasks` of the
extension module, where the layout of both is. So the message of a worker that is killed comes back,
with a higher count of deliveries. By that the next worker sees how many workers it has cost.
"""

from __future__ import annotations

import itertools
import logging
import struct
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures.process import _ExceptionWithTraceback
from multiprocessing import util
from multiprocessing.pool import (  # type: ignore[attr-defined]
    ExceptionWithTraceback,
)
from multiprocessing.pool import (  # type: ignore[attr-defined]
    MaybeEncodingError as MaybeEncodingError,
)
from typing import Any

from ._core import dumps, loads, run_tasks
from .errors import WorkerDied

#: Of a report: the number of its task, and what follows.
REPORT = struct.Struct("<QB")
SUCCESS, FAILURE = 1, 2
#: The number of a report of a worker that does not start. 0 is that of one that says nothing.
NO_START = 2**64 - 1

#: Whose exceptions the failures are: those of multiprocessing.Pool, or of concurrent.futures.
POOL, EXECUTOR = "pool", "executor"


def call_chunk(func: Callable[..., Any], chunk: Iterable[Any]) -> list[Any]:
    return list(map(func, chunk))


def starcall_chunk(func: Callable[..., Any], chunk: Iterable[Any]) -> list[Any]:
    return list(itertools.starmap(func, chunk))


def failure_of(number: int, error: BaseException, style: str) -> bytes:
    """The report of an exception that can be loaded again: if it cannot, of one that says so."""
    head = REPORT.pack(number, FAILURE)
    with_traceback: Any = _ExceptionWithTraceback if style == EXECUTOR else ExceptionWithTraceback
    try:
        data = dumps(with_traceback(error, error.__traceback__), head)
        loads(data, REPORT.size)
        return data
    except BaseException:
        text = "".join(traceback.format_exception_only(type(error), error)).strip()
        stand_in = RuntimeError(
            f"the task failed with an exception that cannot be unpickled: {text}"
        )
        return dumps(with_traceback(stand_in, error.__traceback__), head)


def work(
    tasks: Any,
    reports: Any,
    initializer: Callable[..., object] | None,
    initargs: tuple[Any, ...],
    max_tasks: int | None,
    max_attempts: int,
    style: str,
) -> None:
    """Take tasks until there are no more."""
    if initializer is not None:
        try:
            initializer(*initargs)
        except Exception as error:
            logger = logging.getLogger("concurrent.futures")
            logger.critical("Exception in initializer:", exc_info=True)
            reports.put(failure_of(NO_START, error, style))
            return

    def failed(number: int, error: BaseException, has_value: bool, value: Any) -> bytes:
        # SystemExit too: the task has failed, and the worker goes on.
        if has_value and style == POOL:
            error = MaybeEncodingError(error, value)
        return failure_of(number, error, style)

    def lost(number: int) -> bytes:
        attempts = f"{max_attempts} attempts"
        if max_attempts == 1:
            attempts = "1 attempt; max_attempts=2 allows another"
        died = WorkerDied(f"the worker of the task was killed ({attempts})")
        return dumps(died, REPORT.pack(number, FAILURE))

    try:
        done = run_tasks(tasks, reports, SUCCESS, max_tasks, max_attempts, failed, lost)
        util.debug("worker exiting after %d tasks", done)
    except KeyboardInterrupt:
        # Between two tasks.
        pass
