"""A pool of worker processes. A worker that is killed costs its own task, and is replaced."""

from __future__ import annotations

import collections
import itertools
import multiprocessing.pool
import os
import time
import types
import warnings
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import TimeoutError, util
from typing import Any

from ._core import load_into
from ._crew import CLOSE, RUN, TERMINATE, Crew
from ._crew import Outcome as _Outcome
from ._worker import MaybeEncodingError, call_chunk, starcall_chunk
from .errors import WorkerDied

_LARGE_CHUNK = 4096

__all__ = ["AsyncResult", "MaybeEncodingError", "Pool", "WorkerDied"]


class Pool:
    """Worker processes that take tasks.

    As `multiprocessing.Pool`. If a worker is killed, its task is tried again until it has cost
    `max_attempts` workers; then it fails with `WorkerDied`. Every task ends, also those that are
    open when the pool is terminated."""

    def __init__(
        self,
        processes: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        maxtasksperchild: int | None = None,
        context: Any = None,
        *,
        max_attempts: int = 1,
    ) -> None:
        if processes is None:
            processes = os.cpu_count() or 1
        if processes < 1:
            raise ValueError("Number of processes must be at least 1")
        if maxtasksperchild is not None and (
            not isinstance(maxtasksperchild, int) or maxtasksperchild <= 0
        ):
            raise ValueError("maxtasksperchild must be a positive int or None")
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        if max_attempts < 1:
            raise ValueError("max_attempts must be at least 1")
        if context is None:
            from .context import default

            context = default.get_context()
        self._ctx = context
        self._crew = Crew(
            context, processes, initializer, tuple(initargs), maxtasksperchild, max_attempts
        )
        self._terminate = util.Finalize(self, _terminate, args=(self._crew,), exitpriority=15)
        self._state = RUN

    def apply(
        self, func: Callable[..., Any], args: Iterable[Any] = (), kwds: dict[str, Any] = {}
    ) -> Any:
        """Call `func(*args, **kwds)` in a worker, and return its result."""
        return self.apply_async(func, args, kwds).get()

    def apply_async(
        self,
        func: Callable[..., Any],
        args: Iterable[Any] = (),
        kwds: dict[str, Any] = {},
        callback: Callable[[Any], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> AsyncResult:
        """Call `func(*args, **kwds)` in a worker; return the result to come."""
        self._check_running()
        result = AsyncResult(self._crew, callback, error_callback)
        self._crew.submit(result, 0, func, tuple(args), kwds)
        return result

    def map(
        self, func: Callable[[Any], Any], iterable: Iterable[Any], chunksize: int | None = None
    ) -> list[Any]:
        """Call `func` with each item; return the results in order."""
        return self.map_async(func, iterable, chunksize).get()  # type: ignore[no-any-return]

    def starmap(
        self,
        func: Callable[..., Any],
        iterable: Iterable[Iterable[Any]],
        chunksize: int | None = None,
    ) -> list[Any]:
        """As `map`, calling `func(*item)`."""
        return self.starmap_async(func, iterable, chunksize).get()  # type: ignore[no-any-return]

    def map_async(
        self,
        func: Callable[[Any], Any],
        iterable: Iterable[Any],
        chunksize: int | None = None,
        callback: Callable[[list[Any]], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> MapResult:
        """As `map`; return the list to come."""
        return self._map(call_chunk, func, iterable, chunksize, callback, error_callback)

    def starmap_async(
        self,
        func: Callable[..., Any],
        iterable: Iterable[Iterable[Any]],
        chunksize: int | None = None,
        callback: Callable[[list[Any]], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> MapResult:
        """As `starmap`; return the list to come."""
        return self._map(starcall_chunk, func, iterable, chunksize, callback, error_callback)

    def _map(
        self,
        call: Callable[..., Any],
        func: Callable[..., Any],
        iterable: Iterable[Any],
        chunksize: int | None,
        callback: Callable[[list[Any]], object] | None,
        error_callback: Callable[[BaseException], object] | None,
    ) -> MapResult:
        self._check_running()
        items = iterable if hasattr(iterable, "__len__") else list(iterable)
        count = len(items)  # type: ignore[arg-type]
        if chunksize is None:
            chunksize, extra = divmod(count, self._crew.size * 4)
            # The objects of a smaller chunk stay in a core's cache.
            chunksize = min(chunksize + bool(extra), _LARGE_CHUNK)
        chunksize = max(1, chunksize)
        result = MapResult(self._crew, count, chunksize, callback, error_callback)
        for place, chunk in enumerate(_chunks(items, chunksize)):
            self._crew.submit(result, place, call, (func, chunk), {})
        return result

    def imap(
        self, func: Callable[[Any], Any], iterable: Iterable[Any], chunksize: int = 1
    ) -> IMapIterator:
        """As `map`; return an iterator over the results in order."""
        return self._imap(IMapIterator, func, iterable, chunksize)

    def imap_unordered(
        self, func: Callable[[Any], Any], iterable: Iterable[Any], chunksize: int = 1
    ) -> IMapIterator:
        """As `imap`, in the order in which the results come."""
        return self._imap(IMapUnorderedIterator, func, iterable, chunksize)

    def _imap(
        self,
        kind: type[IMapIterator],
        func: Callable[[Any], Any],
        iterable: Iterable[Any],
        chunksize: int,
    ) -> IMapIterator:
        self._check_running()
        if chunksize < 1:
            raise ValueError(f"Chunksize must be 1+, not {chunksize:n}")
        result = kind(self._crew, is_chunked=chunksize > 1)
        tasks: Iterator[Any]
        if chunksize == 1:
            tasks = ((func, (item,)) for item in iterable)
        else:
            tasks = ((call_chunk, (func, chunk)) for chunk in _chunks(iterable, chunksize))
        self._crew.feed(result, tasks)
        return result

    def close(self) -> None:
        """Accept no more tasks. The workers end when all tasks are over."""
        if self._state == RUN:
            self._state = CLOSE
            self._crew.close()

    def terminate(self) -> None:
        """End the workers; tasks that are not over fail."""
        self._state = TERMINATE
        self._terminate()

    def join(self) -> None:
        """Wait for the workers to end."""
        if self._state == RUN:
            raise ValueError("Pool is still running")
        self._crew.join()

    def __enter__(self) -> Pool:
        self._check_running()
        return self

    def __exit__(self, *error: object) -> None:
        self.terminate()

    def __del__(self) -> None:
        if getattr(self, "_state", TERMINATE) == RUN:
            warnings.warn(
                f"unclosed running multiprocessing pool {self!r}", ResourceWarning, source=self
            )

    def __repr__(self) -> str:
        cls = type(self)
        return (
            f"<{cls.__module__}.{cls.__qualname__} state={self._state} "
            f"pool_size={len(self._crew.workers)}>"
        )

    def __reduce__(self) -> Any:
        raise NotImplementedError("pool objects cannot be passed between processes or pickled")

    def _check_running(self) -> None:
        if self._state != RUN:
            raise ValueError("Pool not running")

    @property
    def _pool(self) -> list[Any]:
        return self._crew.workers

    @property
    def _cache(self) -> dict[int, Any]:
        return self._crew.open

    def _repopulate_pool(self) -> None:
        self._crew.replace_dead()


def _terminate(crew: Crew) -> None:
    crew.terminate()


def _chunks(items: Iterable[Any], size: int) -> Iterator[Iterable[Any]]:
    if type(items) in (list, tuple, range):
        # A part of a range is a range: it travels without its items.
        yield from (items[begin : begin + size] for begin in range(0, len(items), size))  # type: ignore[index, arg-type]
        return
    rest = iter(items)
    while chunk := tuple(itertools.islice(rest, size)):
        yield chunk


class AsyncResult(_Outcome):
    """The result to come of a task."""

    _is_done = False
    _is_success = False
    _value: Any = None

    def __init__(
        self,
        crew: Crew,
        callback: Callable[[Any], object] | None,
        error_callback: Callable[[BaseException], object] | None,
    ) -> None:
        self._crew = crew
        self._callback = callback
        self._error_callback = error_callback
        if callback or error_callback:
            crew.collect_in_background()

    def ready(self) -> bool:
        """Whether the task is over."""
        if not self._is_done:
            self._crew.collect()
        return self._is_done

    def successful(self) -> bool:
        """Whether the task is over without an exception. ValueError if it is not over."""
        if not self.ready():
            raise ValueError(f"{self!r} not ready")
        return self._is_success

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the task is over."""
        self._crew.wait(self._has_ended, timeout)

    def get(self, timeout: float | None = None) -> Any:
        """The result; an exception of the task is raised here. TimeoutError after the timeout."""
        if not self._is_done:
            self.wait(timeout)
            if not self._is_done:
                raise TimeoutError
        if self._is_success:
            return self._value
        raise self._value

    def _has_ended(self) -> bool:
        return self._is_done

    def _resolve(self, place: int, is_success: bool, value: Any) -> None:
        self._end(is_success, value)

    def _end(self, is_success: bool, value: Any) -> None:
        self._is_success, self._value = is_success, value
        call = self._callback if is_success else self._error_callback
        self._callback = self._error_callback = None
        try:
            if call:
                # Before anybody sees the result, as in multiprocessing.
                call(value)
        finally:
            self._is_done = True

    __class_getitem__: Any = classmethod(types.GenericAlias)


class MapResult(AsyncResult):
    """The list to come of a map."""

    def __init__(
        self,
        crew: Crew,
        count: int,
        chunksize: int,
        callback: Callable[[list[Any]], object] | None,
        error_callback: Callable[[BaseException], object] | None,
    ) -> None:
        super().__init__(crew, callback, error_callback)
        self._chunksize = chunksize
        self._left = -(-count // chunksize)
        self._count = count
        self._list: list[Any] | None = None
        self._failure: BaseException | None = None
        if not count:
            self._end(True, [])

    @property
    def _results(self) -> list[Any]:
        """The list. It is made when the first results come: the workers have begun by then."""
        if self._list is None:
            self._list = [None] * self._count
        return self._list

    def _load(self, place: int, data: bytes) -> list[Any] | None:
        return load_into(self._results, place * self._chunksize, self._chunksize, data)

    def _resolve(self, place: int, is_success: bool, value: Any) -> None:
        if is_success:
            begin = place * self._chunksize
            # None: the results are in their places.
            if value is not None:
                self._results[begin : begin + self._chunksize] = value
        elif self._failure is None:
            self._failure = value
        self._left -= 1
        if self._left == 0:
            if self._failure is None:
                self._end(True, self._results)
            else:
                self._end(False, self._failure)


class IMapIterator(_Outcome):
    """The results of an imap, in order."""

    def __init__(self, crew: Crew, is_chunked: bool) -> None:
        self._crew = crew
        self._is_chunked = is_chunked
        self._come: dict[int, tuple[bool, Any]] = {}
        self._next = 0
        self._items: Iterator[Any] = iter(())
        # How many tasks there are; unknown until all are handed over.
        self._count: int | None = None

    def __iter__(self) -> IMapIterator:
        return self

    def __next__(self) -> Any:
        return self.next()

    def next(self, timeout: float | None = None) -> Any:
        """The next result. TimeoutError after the timeout."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                return next(self._items)
            except StopIteration:
                pass
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            self._crew.wait(self._has_next, left)
            come = self._pop()
            if come is None:
                if self._is_over():
                    raise StopIteration
                raise TimeoutError
            is_success, value = come
            if not is_success:
                raise value
            if not self._is_chunked:
                return value
            self._items = iter(value)

    def _is_over(self) -> bool:
        return self._count is not None and self._next >= self._count

    def _has_next(self) -> bool:
        return self._next in self._come or self._is_over()

    def _pop(self) -> tuple[bool, Any] | None:
        come = self._come.pop(self._next, None)
        if come is not None:
            self._next += 1
        return come

    def _resolve(self, place: int, is_success: bool, value: Any) -> None:
        self._come[place] = is_success, value

    def _fed(self, count: int) -> None:
        self._count = count


class IMapUnorderedIterator(IMapIterator):
    """The results of an imap_unordered, as they come."""

    def __init__(self, crew: Crew, is_chunked: bool) -> None:
        super().__init__(crew, is_chunked)
        self._line: collections.deque[tuple[bool, Any]] = collections.deque()

    def _resolve(self, place: int, is_success: bool, value: Any) -> None:
        self._line.append((is_success, value))

    def _has_next(self) -> bool:
        return bool(self._line) or self._is_over()

    def _pop(self) -> tuple[bool, Any] | None:
        try:
            come = self._line.popleft()
        except IndexError:
            return None
        self._next += 1
        return come


def __getattr__(name: str) -> Any:
    # ThreadPool and the other names of Python's module.
    return getattr(multiprocessing.pool, name)


ApplyResult = AsyncResult
