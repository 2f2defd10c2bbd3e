"""Exceptions and warnings. Where Python has one for the case, that one is raised."""

import queue as _queue
from multiprocessing import (
    AuthenticationError,
    BufferTooShort,
    ProcessError,
    TimeoutError,
)
from queue import Empty, Full
from threading import BrokenBarrierError

__all__ = [
    "AuthenticationError",
    "BrokenBarrierError",
    "BufferTooShort",
    "Corrupt",
    "Empty",
    "Full",
    "Mismatch",
    "NotOwned",
    "OverReleased",
    "OwnerDied",
    "ProcessError",
    "ShutDown",
    "TimeoutError",
    "Unsupported",
    "WorkerDied",
]


if hasattr(_queue, "ShutDown"):
    ShutDown = _queue.ShutDown
else:

    class ShutDown(Exception):  # type: ignore[no-redef]
        """The queue is shut down: nothing can be put, and nothing is left to get."""


class NotOwned(AssertionError, RuntimeError):
    """The caller does not hold the lock: an AssertionError as in multiprocessing, and a
    RuntimeError as in threading."""


class OverReleased(ValueError, RuntimeError):
    """Released more often than acquired: a ValueError as in multiprocessing, and a RuntimeError as
    in threading."""


class OwnerDied(RuntimeWarning):
    """The last holder of a lock was killed while it held it: check the data that the lock
    guards."""


class WorkerDied(ProcessError):
    """The worker of a task was killed, as often as the pool tries it again."""


class Mismatch(ValueError):
    """The object of that name is of another kind or shape."""


class Unsupported(OSError):
    """The operation is not supported by this object or this system."""


class Corrupt(OSError):
    """The shared memory is damaged."""
