"""Contexts: a start method, and the classes of polyproc. To be handed to whoever takes a context of
multiprocessing."""

from __future__ import annotations

import multiprocessing
import multiprocessing.context as _context
from collections.abc import Callable, Iterable
from multiprocessing import reduction
from typing import Any

from . import connection, pool, process, queues, synchronize

__all__ = ["get_context"]


class BaseContext(_context.BaseContext):
    """The classes of polyproc with one start method."""

    Lock = synchronize.Lock  # type: ignore[assignment]
    RLock = synchronize.RLock  # type: ignore[assignment]
    Semaphore = synchronize.Semaphore  # type: ignore[assignment]
    BoundedSemaphore = synchronize.BoundedSemaphore  # type: ignore[assignment]
    Condition = synchronize.Condition  # type: ignore[assignment]
    Event = synchronize.Event  # type: ignore[assignment]
    Barrier = synchronize.Barrier  # type: ignore[assignment]
    Queue = queues.Queue  # type: ignore[assignment]
    JoinableQueue = queues.JoinableQueue  # type: ignore[assignment]
    SimpleQueue = queues.SimpleQueue  # type: ignore[assignment]
    Pipe = staticmethod(connection.Pipe)  # type: ignore[assignment]

    def Pool(  # type: ignore[override]
        self,
        processes: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        maxtasksperchild: int | None = None,
        *,
        max_attempts: int = 1,
    ) -> pool.Pool:
        """Make a pool of worker processes."""
        return pool.Pool(
            processes,
            initializer,
            initargs,
            maxtasksperchild,
            context=self.get_context(),
            max_attempts=max_attempts,
        )

    def get_context(self, method: str | None = None) -> Any:
        """The context of a start method; without one, this context."""
        if method is None:
            return self
        try:
            return _contexts[method]
        except KeyError:
            raise ValueError(f"cannot find context for {method!r}") from None


class ForkContext(BaseContext):
    _name = "fork"
    Process = process.ForkProcess


class SpawnContext(BaseContext):
    _name = "spawn"
    Process = process.SpawnProcess


class ForkServerContext(BaseContext):
    _name = "forkserver"
    Process = process.ForkServerProcess


class DefaultContext(BaseContext):
    """The start method of this process, which multiprocessing knows too."""

    Process = process.Process

    def get_context(self, method: str | None = None) -> Any:
        return super().get_context(method or multiprocessing.get_start_method())

    def set_start_method(self, method: str | None, force: bool = False) -> None:
        """How processes start: "fork", "spawn" or "forkserver". At most once."""
        multiprocessing.set_start_method(method, force)

    def get_start_method(self, allow_none: bool = False) -> Any:
        """How processes start."""
        return multiprocessing.get_start_method(allow_none)

    def get_all_start_methods(self) -> list[str]:
        """How processes can start here."""
        return multiprocessing.get_all_start_methods()


_contexts: dict[str, BaseContext] = {
    "fork": ForkContext(),
    "spawn": SpawnContext(),
}
if reduction.HAVE_SEND_HANDLE:
    _contexts["forkserver"] = ForkServerContext()

default = DefaultContext()
get_context = default.get_context
