"""Queues under asyncio. The loop watches the queue's descriptor, and no thread waits."""

from __future__ import annotations

import asyncio
import collections
import weakref
from collections.abc import MutableMapping
from queue import Empty, Full
from typing import Any


class _Readers:
    """The tasks of one loop that wait for messages of one queue. As many of them are woken as there
    are messages; the descriptor is watched again when those have tried."""

    def __init__(self, queue: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.queue = weakref.proxy(queue)
        self.loop = loop
        self.waiting: collections.deque[asyncio.Future[None]] = collections.deque()
        self.woken = 0
        self.watched: int | None = None

    def watch(self) -> None:
        if self.watched is None and self.woken == 0 and self.waiting:
            self.watched = self.queue.fileno()
            self.loop.add_reader(self.watched, self.ready)

    def unwatch(self) -> None:
        if self.watched is not None:
            self.loop.remove_reader(self.watched)
            self.watched = None

    def ready(self) -> None:
        self.unwatch()
        # A queue that is shut down is ready too: one task at a time finds that out.
        count = max(1, self.queue.qsize())
        while self.waiting and count > 0:
            future = self.waiting.popleft()
            if not future.done():
                future.set_result(None)
                self.woken += 1
                count -= 1
        self.watch()

    async def wait(self) -> None:
        future = self.loop.create_future()
        self.waiting.append(future)
        self.watch()
        try:
            await future
        finally:
            if future.cancelled() or not future.done():
                if future in self.waiting:
                    self.waiting.remove(future)
            else:
                self.woken -= 1
                # After the task's own try, which follows at once.
                self.loop.call_soon(self.watch)
            if not self.waiting:
                self.unwatch()


_readers: MutableMapping[Any, dict[int, _Readers]] = weakref.WeakKeyDictionary()


def _readers_of(queue: Any) -> _Readers:
    loop = asyncio.get_running_loop()
    by_loop = _readers.setdefault(queue, {})
    readers = by_loop.get(id(loop))
    if readers is None or readers.loop is not loop:
        readers = by_loop[id(loop)] = _Readers(queue, loop)
    return readers


async def get(queue: Any) -> Any:
    while True:
        try:
            return queue.get_nowait()
        except Empty:
            pass
        await _readers_of(queue).wait()


# A full queue has no descriptor to wait for. The tasks of a loop that want to put share one thread,
# which waits for room in steps, so that a loop that ends is not held up.
_ROOM_STEP = 0.1
_rooms: MutableMapping[Any, dict[int, asyncio.Future[Any]]] = weakref.WeakKeyDictionary()


async def put(queue: Any, obj: Any) -> None:
    loop = asyncio.get_running_loop()
    while True:
        try:
            queue.put_nowait(obj)
            return
        except Full:
            pass
        shared = _rooms.setdefault(queue, {})
        room = shared.get(id(loop))
        if room is None or room.done() or room.get_loop() is not loop:
            room = shared[id(loop)] = loop.run_in_executor(None, queue._wait_room, _ROOM_STEP)
        await asyncio.shield(room)
