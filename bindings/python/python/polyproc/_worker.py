"""A worker process of a pool.

A task is a message: its number in 8 bytes, then the pickle of (function, args, kwargs). The worker
takes it, puts the report, and settles it. So the message of a worker that is killed comes back,
with a higher count of deliveries: by that the next worker sees how many workers it has cost.
"""

from __future__ import annotations

import pickle
import struct
import traceback
from collections.abc import Callable
from multiprocessing import util
from multiprocessing.pool import (  # type: ignore[attr-defined]
    ExceptionWithTraceback,
    MaybeEncodingError,
)
from typing import Any

from ._core import dumps
from .errors import ShutDown, WorkerDied

NUMBER = struct.Struct("<Q")
#: Of a report: the number of its task, and what follows.
REPORT = struct.Struct("<QB")
SUCCESS, FAILURE, NO_START = 1, 2, 3


def call_chunk(func: Callable[..., Any], chunk: tuple[Any, ...]) -> list[Any]:
    return [func(item) for item in chunk]


def starcall_chunk(func: Callable[..., Any], chunk: tuple[Any, ...]) -> list[Any]:
    return [func(*item) for item in chunk]


def dump_failure(error: BaseException) -> bytes:
    """An exception that can be loaded again: if it cannot, one that says so."""
    failure = ExceptionWithTraceback(error, error.__traceback__)
    try:
        data = dumps(failure)
        pickle.loads(data)
        return data
    except Exception:
        text = "".join(traceback.format_exception_only(type(error), error)).strip()
        stand_in = RuntimeError(
            f"the task failed with an exception that cannot be unpickled: {text}"
        )
        return dumps(ExceptionWithTraceback(stand_in, error.__traceback__))


def work(
    tasks: Any,
    reports: Any,
    initializer: Callable[..., object] | None,
    initargs: tuple[Any, ...],
    max_tasks: int | None,
    max_attempts: int,
) -> None:
    """Take tasks until there are no more."""
    if initializer is not None:
        try:
            initializer(*initargs)
        except Exception as error:
            reports.put(REPORT.pack(0, NO_START) + dump_failure(error))
            raise
    done = 0
    while max_tasks is None or done < max_tasks:
        try:
            message = tasks.take()
        except (ShutDown, KeyboardInterrupt):
            break
        data = bytes(message.data)
        number = NUMBER.unpack_from(data)[0]
        if message.deliveries > max_attempts:
            died = WorkerDied(f"the worker of the task was killed ({max_attempts} attempts)")
            reports.put(REPORT.pack(number, FAILURE) + dumps(died))
        else:
            reports.put(_run(number, data))
            done += 1
        message.done()
        # No reference to the task lives on while the worker waits.
        message = data = None  # type: ignore[assignment]
    util.debug("worker exiting after %d tasks", done)


def _run(number: int, data: bytes) -> bytes:
    try:
        func, args, kwds = pickle.loads(memoryview(data)[NUMBER.size :])
        value = func(*args, **kwds)
    except BaseException as error:
        # SystemExit too: the task has failed, and the worker goes on.
        return REPORT.pack(number, FAILURE) + dump_failure(error)
    try:
        return REPORT.pack(number, SUCCESS) + dumps(value)
    except Exception as error:
        return REPORT.pack(number, FAILURE) + dump_failure(MaybeEncodingError(error, value))
