"""How objects and messages are pickled. The extension module calls `reduce` and `dumps`."""

from __future__ import annotations

import collections
import copyreg
import io
import pickle
from multiprocessing import context, reduction
from typing import Any

_NOTHING = object()


def reduce(obj: Any, fd: int, extra: Any = _NOTHING) -> tuple[Any, ...]:
    """An object of shared memory travels as its descriptor, and only while a process is started;
    one with a name travels as its name."""
    name = getattr(obj, "name", None)
    state = obj.__dict__ or None
    if name is not None and extra is _NOTHING:
        return _open, (type(obj), name), state
    context.assert_spawning(obj)
    rest = () if extra is _NOTHING else (extra,)
    return _adopt, (type(obj), reduction.DupFd(fd), *rest), state


def _adopt(cls: Any, fd: Any, *rest: Any) -> Any:
    return cls._adopt(fd.detach(), *rest)


def _open(cls: Any, name: str) -> Any:
    return cls.open(name)


#: The other types that multiprocessing can pickle: connections, sockets, locks inside a start.
_extra = reduction.ForkingPickler._extra_reducers  # type: ignore[attr-defined]


class _Pickler(pickle.Pickler):
    dispatch_table: Any = collections.ChainMap(_extra, copyreg.dispatch_table)


def dumps(obj: Any, buffers: list[pickle.PickleBuffer] | None) -> bytes:
    """Pickle an object. Large buffers are added to `buffers` and not copied, if there is a list."""
    out = io.BytesIO()
    keep = None if buffers is None else buffers.append
    _Pickler(out, 5, buffer_callback=keep).dump(obj)
    return out.getvalue()
