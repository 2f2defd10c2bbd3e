import enum
from queue import Empty as Empty
from queue import Full as Full
from typing import Any, AsyncIterator, TypeVar

from . import _core
from .errors import ShutDown as ShutDown

__all__ = ["Empty", "Full", "JoinableQueue", "MessageState", "Queue", "ShutDown", "SimpleQueue"]

_Object = TypeVar("_Object")

class MessageState(enum.Enum):
    WAITING = 1
    LEASED = 2
    DONE = 3
    DEAD = 4
    DISCARDED = 5
    UNKNOWN = 6

class Queue(_core.Queue[_Object]):
    @classmethod
    def open(cls, name: str) -> Queue[Any]: ...
    def settled(self, id: int) -> MessageState: ...
    async def aget(self) -> _Object: ...
    async def aput(self, obj: _Object) -> None: ...
    def __aiter__(self) -> AsyncIterator[_Object]: ...

class JoinableQueue(Queue[_Object]):
    def __init__(
        self,
        maxsize: int = 0,
        *,
        name: str | None = None,
        create: bool | None = None,
        exist_ok: bool = False,
        mode: int | None = None,
        format: str = "pickle",
        max_bytes: int = 0,
        max_deliveries: int = 0,
        ctx: Any = None,
    ) -> None: ...

class SimpleQueue(Queue[_Object]):
    def __init__(self, *, ctx: Any = None) -> None: ...
