"""A worker process of a pool.

A task is a message: its number in 8 bytes, then the pickle of (function, args, kwargs). The worker
takes it, puts the report, and settles it. So the message of a worker that is killed comes back,
with a higher count of deliveries: by that the next worker sees how many workers it has cost.
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

from ._core import dumps, loads
from .errors import ShutDown, WorkerDied

NUMBER = struct.Struct("<Q")
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
    done = 0
    while max_tasks is None or done < max_tasks:
        try:
            message = tasks.take()
        except (ShutDown, KeyboardInterrupt):
            break
        data = message.value
        number = NUMBER.unpack_from(data)[0]
        if message.deliveries > max_attempts:
            died = WorkerDied(f"the worker of the task was killed ({max_attempts} attempts)")
            reports.put(dumps(died, REPORT.pack(number, FAILURE)))
        else:
            reports.put(_run(number, data, style))
            done += 1
        message.done()
        # No reference to the task lives on while the worker waits.
        message = data = None
    util.debug("worker exiting after %d tasks", done)


def _run(number: int, data: bytes, style: str) -> bytes:
    try:
        func, args, kwds = loads(data, NUMBER.size)
        value = func(*args, **kwds)
    except BaseException as error:
        # SystemExit too: the task has failed, and the worker goes on.
        return failure_of(number, error, style)
    try:
        return dumps(value, REPORT.pack(number, SUCCESS))
    except BaseException as error:
        failure = MaybeEncodingError(error, value) if style == POOL else error
        return failure_of(number, failure, style)
