"""What is measured: the ways to do a thing, the cases that they are compared in, and what polyproc must reach."""

from dataclasses import dataclass

# How a way behaves; the lines of the table compare polyproc with all ways of a kind.
WAITS = "waits"  # copies in and out; a reader of an empty channel sleeps
POLLS = "polls"  # the same, but burns its core while it waits
TAKES = "in place, one side"
LOANS = "in place, both sides"
BATCHES = "batches"
REFERENCE = "reference"  # no peer: cannot be used as a queue between processes that may wait, fail or be many


@dataclass(frozen=True)
class Way:
    label: str
    program: str  # below build/bench/peers, or a script
    mode: str
    kind: str = WAITS

    @property
    def ours(self):
        return self.label.startswith("polyproc")


@dataclass(frozen=True)
class Case:
    name: str  # W1 64 B
    workload: str  # of the program: stream, pingpong ...
    args: tuple
    ways: tuple
    metric: str = "rate"  # a member of the program's JSON

    @property
    def group(self):
        return self.name.split()[0]

    @property
    def higher_is_better(self):
        return self.metric == "rate"


COPY = Way("polyproc", "polyproc", "copy")
MANY = Way("polyproc put_many/take_many 32", "polyproc", "many", BATCHES)
TAKE = Way("polyproc put/take", "polyproc", "take", TAKES)
LOAN = Way("polyproc reserve/take", "polyproc", "loan", LOANS)
ASLEEP = Way("polyproc, spin_ns=1", "polyproc", "asleep")

PIPE = Way("pipe", "kernel", "pipe")
SOCKETPAIR = Way("socketpair SEQPACKET", "kernel", "socketpair")
MQ = Way("POSIX mq", "kernel", "mq")
BOOST = Way("boost message_queue", "boost", "copy")
ZEROMQ = Way("ZeroMQ ipc", "zeromq", "copy")
CLOUDTOID = Way("cloudtoid", "cloudtoid", "copy")
CLOUDTOID_POLLS = Way("cloudtoid, polling", "cloudtoid", "polling", POLLS)
CLOUDTOID_MANY = Way("cloudtoid, batches", "cloudtoid", "many", BATCHES)
ICEORYX = Way("iceoryx2", "iceoryx2", "copy")
ICEORYX_POLLS = Way("iceoryx2, polling", "iceoryx2", "polling", POLLS)
ICEORYX_TAKE = Way("iceoryx2, read in place", "iceoryx2", "take", TAKES)
ICEORYX_LOAN = Way("iceoryx2, in place", "iceoryx2", "loan", LOANS)
ICEORYX_LOAN_POLLS = Way("iceoryx2, in place, polling", "iceoryx2", "loan-polling", POLLS)
SPSC = Way("spinning SPSC ring", "spsc", "copy", REFERENCE)

WAITING = (COPY, PIPE, SOCKETPAIR, MQ, BOOST, ZEROMQ, CLOUDTOID, ICEORYX)
POLLING = (CLOUDTOID_POLLS, ICEORYX_POLLS)
OURS = (MANY, TAKE, LOAN)
IN_PLACE = (ICEORYX_TAKE, ICEORYX_LOAN, ICEORYX_LOAN_POLLS)
SHARED = (COPY, MQ, BOOST, ZEROMQ, CLOUDTOID, CLOUDTOID_POLLS)  # any number of producers and consumers

LOCKS = tuple(
    Way(label, program, mode)
    for label, program, mode in (
        ("polyproc lock", "polyproc", "lock"),
        ("pthread robust mutex", "glibc", "robust"),
        ("pthread mutex", "glibc", "mutex"),
        ("boost mutex", "boost", "mutex"),
    )
)
SEMAPHORES = tuple(
    Way(label, program, "semaphore")
    for label, program in (("polyproc semaphore", "polyproc"), ("sem_t", "glibc"), ("boost semaphore", "boost"))
)
EVENTS = tuple(
    Way(label, program, mode)
    for label, program, mode in (
        ("polyproc event", "polyproc", "event"),
        ("futex", "glibc", "futex"),
        ("sem_t", "glibc", "post"),
        ("pthread condition", "glibc", "condition"),
    )
)
SPAWNS = (Way("polyproc spawn + join", "polyproc", "copy"), Way("posix_spawn + waitid", "kernel", "copy"))


def cases():
    long = ("warm=200", "ms=400")
    yield Case("W1 64 B", "stream", ("size=64",), WAITING + POLLING + OURS + IN_PLACE + (CLOUDTOID_MANY, SPSC))
    yield Case("W1 8 B", "stream", ("size=8",), WAITING + POLLING + OURS + (SPSC,))
    yield Case("W1 1 KiB", "stream", ("size=1024",), WAITING + POLLING + OURS + IN_PLACE)
    yield Case("W1 64 KiB", "stream", ("size=65536", *long), WAITING + POLLING + OURS + IN_PLACE)
    yield Case("W1 1 MiB", "stream", ("size=1048576", *long), WAITING + POLLING + OURS + IN_PLACE)
    ping = WAITING + POLLING + (ASLEEP, TAKE, ICEORYX_LOAN_POLLS, SPSC)
    yield Case("W2 ping-pong 64 B", "pingpong", ("size=64",), ping, "p50_ns")
    idle = WAITING + (ASLEEP,)
    yield Case("W2 ping-pong 64 B after 1 ms idle", "pingpong", ("size=64", "gap=1000", "ms=300"), idle, "p50_ns")
    for n in (2, 4, 8):
        yield Case(f"W3 {n}x{n}", "stream", ("size=64", f"producers={n}", f"consumers={n}", "ms=400"), SHARED)
    for n, name in ((1, "uncontended"), (2, "2 processes"), (4, "4 processes")):
        yield Case(f"W4 lock, {name}", "lock", (f"producers={n}", "ms=200"), LOCKS, "ns")
        yield Case(f"W4 semaphore, {name}", "lock", (f"producers={n}", "ms=200"), SEMAPHORES, "ns")
    yield Case("W4 event, set to running", "event", ("ms=300",), EVENTS, "p50_ns")
    yield Case("W5 spawn and join /bin/true", "spawn", ("ms=300",), SPAWNS, "p50_ns")
    yield Case("W8 create and close a queue", "create", ("ms=200",), (COPY,), "p50_ns")
    yield Case("W8 open a named queue", "open", ("ms=200",), (COPY,), "p50_ns")
