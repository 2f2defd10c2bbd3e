"""Processes: those of Python's multiprocessing, where a daemon dies with its parent in whatever way
the parent ends."""

from __future__ import annotations

import multiprocessing.context as _context
import threading
import warnings
from multiprocessing.process import (
    BaseProcess,
    active_children,
    current_process,
    parent_process,
)
from typing import Any

from . import _core

__all__ = ["BaseProcess", "Process", "active_children", "current_process", "parent_process"]


#: Set while a process starts.
_silence: warnings.catch_warnings[None] | None = None


class _Bound(BaseProcess):
    _parent_pid: int

    def start(self) -> None:
        # Since 3.12 Python warns of a fork in a process with several threads. If Python itself has
        # one thread, the others are this library's, which is ready for a fork.
        if threading.active_count() > 1:
            super().start()
            return
        global _silence
        _silence = warnings.catch_warnings()
        try:
            with _silence:
                text = "This process .* multi-threaded"
                warnings.filterwarnings("ignore", text, DeprecationWarning)
                super().start()
        finally:
            _silence = None

    def _bootstrap(self, parent_sentinel: Any = None) -> int:
        global _silence
        if _silence is not None:
            # A fork: the parent is in `start`.
            _silence.__exit__(None, None, None)
            _silence = None
        if self.daemon and parent_sentinel is not None:
            _core.die_with_parent(self._parent_pid, parent_sentinel)
        return super()._bootstrap(parent_sentinel)  # type: ignore[misc,no-any-return]


class Process(_Bound, _context.Process):
    """A process that calls `target(*args, **kwargs)`, or a subclass with a `run` of its own.

    As in multiprocessing. A daemon does not outlive its parent, not even one that is killed."""


class ForkProcess(_Bound, _context.ForkProcess):
    pass


class SpawnProcess(_Bound, _context.SpawnProcess):
    pass


class ForkServerProcess(_Bound, _context.ForkServerProcess):
    pass
