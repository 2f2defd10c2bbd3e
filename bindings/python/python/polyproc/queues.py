"""Queues of objects between processes."""

from __future__ import annotations

import types
from collections.abc import AsyncIterator
from multiprocessing.connection import wait
from queue import Empty, Full
from typing import Any

from . import _aio, _core
from .errors import ShutDown

__all__ = ["Empty", "Full", "JoinableQueue", "Queue", "ShutDown", "SimpleQueue"]


class Queue(_core.Queue):
    __doc__ = _core.Queue.__doc__

    __class_getitem__ = classmethod(types.GenericAlias)  # type: ignore[assignment]

    @classmethod
    def open(cls, name: str) -> Any:
        """Open the queue of that name, which a process in any language has made. Its label says
        what the messages are; messages of a label that is unknown here are bytes."""
        queue = cls.__new__(cls)
        _core.Queue.__init__(queue, name=name, create=False)
        return queue

    # Code that was written for several kinds of queue asks `hasattr(queue, "task_done")`, and
    # multiprocessing.Queue has neither.

    @property
    def task_done(self) -> Any:
        """Of a joinable queue: `task_done()` says that the oldest message that this process got is
        done. ValueError if there is none."""
        return self._of_joinable("task_done")

    @property
    def join(self) -> Any:
        """Of a joinable queue: `join(timeout=None)` waits until every message was got and done.
        False after the timeout."""
        return self._of_joinable("join")

    def _of_joinable(self, name: str) -> Any:
        if not self.joinable:
            raise AttributeError(f"{name!r} is a method of joinable queues", name=name, obj=self)
        return getattr(super(), name)

    async def aget(self) -> Any:
        """`get`, for asyncio: no thread waits."""
        return await _aio.get(self)

    async def aput(self, obj: Any) -> None:
        """`put`, for asyncio."""
        await _aio.put(self, obj)

    async def __aiter__(self) -> AsyncIterator[Any]:
        """The objects, until the queue is shut down and drained."""
        while True:
            try:
                obj = await _aio.get(self)
            except ShutDown:
                return
            yield obj


class JoinableQueue(Queue):
    """A queue whose messages stay unfinished until `task_done`: `join` waits for them. The messages
    of a process that is killed before its `task_done` go to another one."""

    def __init__(self, maxsize: int = 0, **options: Any) -> None:
        super().__init__(maxsize, joinable=True, **options)

    task_done = _core.Queue.task_done
    join = _core.Queue.join


class SimpleQueue(Queue):
    """A queue without a limit."""

    def __init__(self, *, ctx: Any = None) -> None:
        super().__init__()

    @property
    def _reader(self) -> _End:
        return _End(self)

    @property
    def _writer(self) -> _End:
        return _End(self)


class _End:
    """The part of a pipe's end that Python's executor uses of a SimpleQueue."""

    def __init__(self, queue: SimpleQueue) -> None:
        self.fileno = queue.fileno
        self._get_nowait = queue.get_nowait
        self.send = queue.put
        self.close = queue.close
        self.closed = queue.closed

    def recv(self) -> Any:
        """The next result, or None. The executor calls this when the descriptor was readable, which
        it can be for a moment after another look has got the message; it takes None as a wake-up
        without a result."""
        try:
            return self._get_nowait()
        except Empty:
            return None

    def poll(self, timeout: float | None = 0.0) -> bool:
        return bool(wait([self], timeout))
