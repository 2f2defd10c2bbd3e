"""Objects that a parent in any language handed to this process under a name."""

from __future__ import annotations

import os
from typing import Any

from . import _core, connection, queues, synchronize

_CLASSES: dict[str, Any] = {
    "queue": queues.Queue,
    "lock": synchronize.Lock,
    "rlock": synchronize.RLock,
    "semaphore": synchronize.Semaphore,
    "event": synchronize.Event,
    "condition": synchronize.Condition,
    "barrier": synchronize.Barrier,
    "connection": connection.Connection,
}


def inherited(name: str, kind: str = "queue", *, lock: Any = None) -> Any:
    """The object that the parent named so: a queue, or what `kind` says: "lock", "rlock",
    "semaphore", "event", "condition", "barrier", "connection".

    A condition works with a lock, which the parent passes on too:

        lock = inherited("guard", "lock")
        changed = inherited("changed", "condition", lock=lock)"""
    cls = _CLASSES.get(kind)
    if cls is None:
        raise ValueError(f"kind is {kind!r}, not one of {', '.join(_CLASSES)}")
    if kind == "condition" and lock is None:
        raise TypeError('a condition needs its lock: lock=inherited(..., "lock")')
    if kind != "condition" and lock is not None:
        raise TypeError(f'lock is for the kind "condition", not for {kind!r}')
    fd = _core.inherited(name, kind)
    try:
        return cls.from_fd(fd) if lock is None else cls.from_fd(fd, lock)
    finally:
        os.close(fd)
