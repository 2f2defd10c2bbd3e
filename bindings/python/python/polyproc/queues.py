"""Queues of objects between processes."""

from __future__ import annotations

import enum
import types
from collections.abc import AsyncIterator
from multiprocessing.connection import wait
from queue import Empty, Full
from typing import Any

from . import _aio, _core
from .errors import ShutDown

__all__ = [
    "Empty",
    "Full",
    "JoinableQueue",
    "MessageState",
    "Queue",
    "ShutDown",
    "SimpleQueue",
]


class MessageState(enum.Enum):
    """How a message stands: see `Queue.settled`.

    WAITING    it waits for a consumer: it was not delivered yet, or it came back
    LEASED     a process has it and has not settled it
    DONE       it was settled, or got from a queue that is not joinable
    DEAD       it was delivered too often and became a dead letter, also if that was taken
    DISCARDED  an immediate shutdown discarded it
    UNKNOWN    it is over, and how it ended is forgotten: done, dead or discarded
    """

    WAITING = 1
    LEASED = 2
    DONE = 3
    DEAD = 4
    DISCARDED = 5
    UNKNOWN = 6


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

    def settled(self, id: int) -> MessageState:
        """How the message stands that has an id, of `put_id` or of `message.id`. The answer can be
        old by the time the call returns, but DONE, DEAD and DISCARDED are final. ValueError if no
        message with that id was put.

        The queue remembers the last 1,024 messages that became dead letters or were discarded, and
        those that an immediate shutdown discarded; older ones that are over are UNKNOWN. A message
        that was not done is never DONE. Ids are valid for one creation of a queue: see
        `identity`."""
        return MessageState(self._settled(id))

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
