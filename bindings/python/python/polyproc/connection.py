"""Pipes over shared memory, and the connections of Python's own multiprocessing."""

from __future__ import annotations

import multiprocessing.connection as _python
from multiprocessing import reduction
from multiprocessing.connection import Client, Listener, wait
from typing import Any

from . import _core

__all__ = ["Client", "Connection", "Listener", "Pipe", "wait"]


class Connection(_core.Connection):
    __doc__ = _core.Connection.__doc__

    def __reduce__(self) -> tuple[Any, ...]:
        # As with Python's pipes: inside of a start, and through another connection.
        fd = reduction.DupFd(self._raw_fd())
        return _rebuild, (type(self), fd, (self.readable, self.writable))

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"fd={self._raw_fd()}"
        return f"<{type(self).__module__}.{type(self).__qualname__} {state} at {id(self):#x}>"


def _rebuild(cls: type[Connection], fd: Any, direction: tuple[bool, bool]) -> Connection:
    return cls._adopt(fd.detach(), direction)


def Pipe(duplex: bool = True) -> tuple[Connection, Connection]:
    """Make a pipe: two connections. If not `duplex`, the first only receives and the second only
    sends."""
    return _core.pipe(Connection, duplex)


def __getattr__(name: str) -> Any:
    # The other names of Python's module.
    return getattr(_python, name)
