"""Python's multiprocessing that survives kill -9: change one import.

    from polyproc import Process, Queue

Every public name of `multiprocessing` is here. Queue, Lock, Pool and the others are polyproc's: no
process that is killed holds up another one. The same queues are open to Go, Node, C, C++ and Rust:

    jobs = Queue(name="jobs", create=True, joinable=True, format="msgpack")
"""

from __future__ import annotations

import importlib as _importlib
from typing import Any as _Any

from ._core import Message, QueueInfo, Slot, __version__, list_objects, unlink
from ._inherited import inherited
from .connection import Pipe
from .context import default as _default
from .context import get_context
from .errors import (
    AuthenticationError,
    BrokenBarrierError,
    BufferTooShort,
    Corrupt,
    Empty,
    Full,
    Mismatch,
    NotOwned,
    OverReleased,
    OwnerDied,
    ProcessError,
    ShutDown,
    TimeoutError,
    Unsupported,
    WorkerDied,
)
from .executor import ProcessPoolExecutor
from .process import Process, active_children, current_process, parent_process
from .queues import JoinableQueue, MessageState, Queue, SimpleQueue
from .synchronize import Barrier, BoundedSemaphore, Condition, Event, Lock, RLock, Semaphore
from .waiting import wait_any

#: Modules of multiprocessing that are Python's own, imported when they are needed.
_MODULES = {"dummy", "managers", "shared_memory", "sharedctypes"}


def __getattr__(name: str) -> _Any:
    if name in _MODULES:
        return _importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


Array = _default.Array
Manager = _default.Manager
Pool = _default.Pool
RawArray = _default.RawArray
RawValue = _default.RawValue
Value = _default.Value
allow_connection_pickling = _default.allow_connection_pickling
cpu_count = _default.cpu_count
freeze_support = _default.freeze_support
get_all_start_methods = _default.get_all_start_methods
get_logger = _default.get_logger
get_start_method = _default.get_start_method
log_to_stderr = _default.log_to_stderr
reducer = _default.reducer
set_executable = _default.set_executable
set_forkserver_preload = _default.set_forkserver_preload
set_start_method = _default.set_start_method

__all__ = [
    "Array",
    "AuthenticationError",
    "Barrier",
    "BoundedSemaphore",
    "BrokenBarrierError",
    "BufferTooShort",
    "Condition",
    "Corrupt",
    "Empty",
    "Event",
    "Full",
    "JoinableQueue",
    "Lock",
    "Manager",
    "Message",
    "MessageState",
    "Mismatch",
    "NotOwned",
    "OverReleased",
    "OwnerDied",
    "Pipe",
    "Pool",
    "Process",
    "ProcessError",
    "ProcessPoolExecutor",
    "Queue",
    "QueueInfo",
    "RLock",
    "RawArray",
    "RawValue",
    "Semaphore",
    "ShutDown",
    "SimpleQueue",
    "Slot",
    "TimeoutError",
    "Unsupported",
    "Value",
    "WorkerDied",
    "active_children",
    "allow_connection_pickling",
    "cpu_count",
    "current_process",
    "freeze_support",
    "get_all_start_methods",
    "get_context",
    "get_logger",
    "get_start_method",
    "inherited",
    "list_objects",
    "log_to_stderr",
    "parent_process",
    "reducer",
    "set_executable",
    "set_forkserver_preload",
    "set_start_method",
    "unlink",
    "wait_any",
    "__version__",
]
