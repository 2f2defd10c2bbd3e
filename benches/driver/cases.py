"""The workloads, and the ways that are compared in each."""

import random
from dataclasses import dataclass

from ways import (
    ASLEEP, BOOST, BOUND, CLOUDTOID, CLOUDTOID_MANY, CLOUDTOID_POLLS, COPY, CROSSBEAM, EVENTS, GO,
    GO_MANY, ICEORYX, ICEORYX_LOAN, ICEORYX_LOAN_POLLS, ICEORYX_POLLS, ICEORYX_TAKE,
    ICEORYX_TAKE_POLLS, IPC_CHANNEL, LOAN, LOCKS, MANY, MQ, NNG, NODE, NODE_ADVANCED, NODE_JSON,
    NODE_MANY, NODE_TRY, PIPE, PY_FIFO, PY_FIFO_MANY, PY_JOINABLE, PY_PIPE, PY_QUEUE, PY_SIMPLE,
    REDIS, SEMAPHORES, SOCKETPAIR, SPAWNS, SPSC, TAKE, UNLIMITED, UNLIMITED_LOAN, ZEROMQ, Way,
)


@dataclass(frozen=True)
class Case:
    name: str
    workload: str  # of the program: stream, pingpong ...
    args: tuple
    ways: tuple  # polyproc's plain way first
    metric: str = "rate"  # a member of the program's JSON
    runs: int = 0  # how often the first way runs in all; 0: as often as the others

    @property
    def group(self):
        return self.name.split()[0]

    def order(self, repetition, repeat):
        """The ways of one repetition in a random order, each as often as it runs in it."""
        runs = self.runs or repeat
        first = runs * (repetition + 1) // repeat - runs * repetition // repeat
        ways = [*[self.ways[0]] * first, *self.ways[1:]]
        return random.sample(ways, len(ways))

    @property
    def higher_is_better(self):
        return self.metric == "rate"

    @property
    def any_cores(self):
        """Whether the distance of the two cores has no part in it: one process does what is counted."""
        alone = self.workload == "lock" and "producers=1" in self.args
        return alone or self.workload in ("footprint", "create", "open", "scaling")


WAITING = (COPY, PIPE, SOCKETPAIR, MQ, BOOST, ZEROMQ, NNG, CLOUDTOID, ICEORYX, IPC_CHANNEL)
POLLING = (CLOUDTOID_POLLS, ICEORYX_POLLS)
COPYING = WAITING + POLLING
# Those whose room can be chosen at any size of a message.
ROOMS = (BOOST, CLOUDTOID, CLOUDTOID_POLLS, ICEORYX, ICEORYX_POLLS, ZEROMQ, SOCKETPAIR)
OURS = (MANY, TAKE, LOAN)
IN_PLACE = (ICEORYX_TAKE, ICEORYX_LOAN, ICEORYX_TAKE_POLLS, ICEORYX_LOAN_POLLS)
PYTHON = (PY_QUEUE, PY_JOINABLE, PY_SIMPLE, PY_PIPE, PY_FIFO)
LANGUAGES = (GO, NODE, NODE_JSON)
# Any number of producers and consumers at one queue.
SHARED = (COPY, PIPE, MQ, BOOST, ZEROMQ, NNG, CLOUDTOID, CLOUDTOID_POLLS, REDIS, PY_QUEUE, PY_FIFO, CROSSBEAM)

W1 = {8: "W1 8 B", 64: "W1 64 B", 1024: "W1 1 KiB", 65536: "W1 64 KiB", 1 << 20: "W1 1 MiB"}
W1_PAIR = "W1 64 B, put and get in one process"
LARGE = (65536, 1 << 20)
ROOM = {1: "1 message", 8: "8 messages", 64: "64 messages", 1024: "1,024 messages", 0: "no limit"}
# A case without a room in its name has the usual one.
W1_ROOM = {
    (size, n): W1[size] if n == 1024 else f"{W1[size]}, {room}"
    for size in LARGE
    for n, room in ROOM.items()
}
W1_NO_LIMIT = {size: f"{W1[size]}, no limit" for size in (8, 64)}
SPREAD = 12  # runs of polyproc at each room
PIPE_ROOM = 1 << 20  # bytes; the kernel allows more to the administrator only
W2 = "W2 ping-pong 64 B"
W2_IDLE = "W2 ping-pong 64 B, 1 ms apart"
W3 = {n: f"W3 {n}x{n}" for n in (2, 4, 8)}
W4_PROCESSES = {1: "uncontended", 2: "2 processes", 4: "4 processes"}
W4_EVENT = "W4 event, set to running"
W5 = "W5 spawn and join /bin/true"
W7 = "W7 memory"
W7_IDLE = "W7 a waiting process"
W7_CROWD = "W7 1,000 waiting processes"
W8_CREATE = "W8 create and close a queue"
W8_OPEN = "W8 open a named queue"
W9 = {
    "participants": ("W9 processes at the queue", (1, 4, 16, 64)),
    "items": ("W9 messages in an unlimited queue", (100, 10_000, 1_000_000, 10_000_000)),
    "depth": ("W9 messages in a queue of 1,024", (0, 512, 1024)),
}


def w1():
    for size, name in W1.items():
        ways = WAITING + POLLING + OURS
        if size == 64:
            ways += (CLOUDTOID_MANY, PY_FIFO_MANY, REDIS, GO_MANY, NODE_TRY, NODE_MANY, NODE_ADVANCED, SPSC, CROSSBEAM)
            ways += IN_PLACE + PYTHON + LANGUAGES
        elif size == 8:
            ways += (PY_QUEUE, SPSC)
        else:
            ways += IN_PLACE + (PY_PIPE, GO, NODE)
        if size in LARGE:
            # Large messages first fill memory.
            args = (f"size={size}", "warm=150", "ms=250")
            yield Case(name, "stream", args, (*ways, BOUND), runs=SPREAD)
        else:
            yield Case(name, "stream", (f"size={size}", "warm=50", "ms=200"), ways)
    for size, name in W1_NO_LIMIT.items():
        yield Case(name, "stream", (f"size={size}", "warm=50", "ms=200"), (UNLIMITED, UNLIMITED_LOAN))
    for (size, room), name in W1_ROOM.items():
        args = (f"size={size}", "warm=100", "ms=200")
        if room == 0:
            yield Case(name, "stream", args, (UNLIMITED,), runs=SPREAD)
        elif room < 1024:
            args += (f"capacity={room}",)
            pipe = (PIPE,) if size * room <= PIPE_ROOM else ()
            yield Case(name, "stream", args, (COPY, *ROOMS, *pipe, BOUND), runs=SPREAD)
    yield Case(W1_PAIR, "pair", ("size=64", "ms=100"), (COPY, GO, NODE_TRY), "ns")


def w4():
    for n, name in W4_PROCESSES.items():
        yield Case(f"W4 lock, {name}", "lock", (f"producers={n}", "ms=150"), LOCKS, "ns")
        yield Case(f"W4 semaphore, {name}", "lock", (f"producers={n}", "ms=150"), SEMAPHORES, "ns")
    yield Case(W4_EVENT, "event", ("ms=300",), EVENTS, "p50_ns")


def w7():
    modes = {"empty queue": "queue", "queue of 1,024": "limited", "unlimited queue that held 1 GiB": "drained"}
    modes |= {"lock": "lock", "the library's thread": "keeper"}
    ways = tuple(Way(f"polyproc, {what}", "footprint", mode) for what, mode in modes.items())
    yield Case(W7, "footprint", (), ways, "bytes")
    yield Case(W7_IDLE, "footprint", (), (Way("polyproc, waiting", "footprint", "idle"),), "per_mille")
    crowd = Way("polyproc, waiting", "footprint", "crowd")
    yield Case(W7_CROWD, "footprint", (), (crowd,), "per_mille")


def w9():
    for what, (name, sizes) in W9.items():
        ways = tuple(Way(f"polyproc, {n:,}", "scaling", f"{what}:{n}") for n in sizes)
        yield Case(name, "scaling", (), ways, "ns")


def cases():
    yield from w1()
    polls = (*POLLING, ICEORYX_LOAN_POLLS, SPSC)
    languages = (PY_QUEUE, PY_SIMPLE, PY_PIPE, PY_FIFO, REDIS, *LANGUAGES)
    yield Case(W2, "pingpong", ("size=64", "ms=200"), (*WAITING, ASLEEP, TAKE, *polls, *languages), "p50_ns")
    idle = (*WAITING, ASLEEP, PY_QUEUE, PY_PIPE)
    yield Case(W2_IDLE, "pingpong", ("size=64", "gap=1000", "ms=300"), idle, "p50_ns")
    for n, name in W3.items():
        # The scheduler gives slices of milliseconds: run long enough to average over many.
        args = ("size=64", f"producers={n}", f"consumers={n}", "warm=100", f"ms={150 * n}")
        yield Case(name, "stream", args, SHARED)
    yield from w4()
    yield Case(W5, "spawn", ("ms=250",), SPAWNS, "p50_ns")
    yield from w7()
    yield Case(W8_CREATE, "create", ("ms=200",), (COPY,), "p50_ns")
    yield Case(W8_OPEN, "open", ("ms=200",), (COPY,), "p50_ns")
    yield from w9()
