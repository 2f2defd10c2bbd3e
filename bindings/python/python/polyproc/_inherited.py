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
    "barrier": synchronize.Barrier,
    "connection": connection.Connection,
}


def inherited(name: str, kind: str = "queue") -> Any:
    """The object that the parent named so: a queue, or what `kind` says: "lock", "rlock",
    "semaphore", "event", "barrier", "connection"."""
    cls = _CLASSES.get(kind)
    if cls is None:
        raise ValueError(f"kind is {kind!r}, not one of {', '.join(_CLASSES)}")
    fd = _core.inherited(name, kind)
    try:
        return cls.from_fd(fd)
    finally:
        os.close(fd)
