"""Waiting for several things at once."""

from __future__ import annotations

from collections.abc import Iterable
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any


def wait_any(objects: Iterable[Any], timeout: float | None = None) -> list[Any]:
    """Wait until one of the objects is ready, and return the list of those that are: a queue that
    has a message, an event that is set, a connection that can receive, a process that has
    ended, and whatever else `multiprocessing.connection.wait` takes. An empty list after the
    timeout."""
    objects = list(objects)
    by_source = {obj.sentinel if isinstance(obj, BaseProcess) else obj: obj for obj in objects}
    return [by_source[source] for source in wait(list(by_source), timeout)]
