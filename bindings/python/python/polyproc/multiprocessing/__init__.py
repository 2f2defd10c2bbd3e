"""`import polyproc.multiprocessing as multiprocessing`: the names and the submodules of Python's
package. Queues, locks, pools and processes are polyproc's, the rest is Python's own."""

from __future__ import annotations

import importlib
import multiprocessing as _python
import sys as _sys
from typing import Any

import polyproc as _polyproc

from .. import connection, context, pool, queues, synchronize

_OURS = {
    "connection": connection,
    "context": context,
    "pool": pool,
    "queues": queues,
    "synchronize": synchronize,
}
_PYTHONS = (
    "dummy",
    "forkserver",
    "heap",
    "managers",
    "process",
    "reduction",
    "resource_sharer",
    "resource_tracker",
    "shared_memory",
    "sharedctypes",
    "spawn",
    "util",
)

__all__ = list(_python.__all__)
for _name in __all__:
    globals()[_name] = getattr(_polyproc, _name)
for _name, _module in _OURS.items():
    _sys.modules[f"{__name__}.{_name}"] = _module
for _name in _PYTHONS:
    _module = importlib.import_module(f"multiprocessing.{_name}")
    _sys.modules[f"{__name__}.{_name}"] = globals()[_name] = _module


def __getattr__(name: str) -> Any:
    return getattr(_python, name)
