"""The ways to pass messages: polyproc's and its peers'."""

from dataclasses import dataclass

# How a way behaves. The table compares polyproc with all ways of the same kind.
WAITS = "waits"  # copies in and out; a reader of an empty channel sleeps
POLLS = "polls"  # burns its core while it waits
TAKES = "read in place"
LOANS = "in place"
BATCHES = "batches"
SCRIPT = "other language"  # polyproc from Go and Node
REFERENCE = "reference"  # no peer: cannot be a queue between processes that may sleep, die or be many


@dataclass(frozen=True)
class Way:
    label: str
    program: str  # below build/bench/peers, or a script below benches/peers
    mode: str = "copy"
    kind: str = WAITS

    @property
    def ours(self):
        return self.label.startswith("polyproc")


COPY = Way("polyproc", "polyproc")
UNLIMITED = Way("polyproc", "polyproc", "unlimited")
MANY = Way("polyproc, put_many/take_many of 32", "polyproc", "many", BATCHES)
TAKE = Way("polyproc, put/take", "polyproc", "take", TAKES)
LOAN = Way("polyproc, reserve/take", "polyproc", "loan", LOANS)
UNLIMITED_LOAN = Way("polyproc, reserve/take", "polyproc", "unlimited,loan", LOANS)
ASLEEP = Way("polyproc, spin_ns=1", "polyproc", "asleep")
GO = Way("polyproc from Go", "polyproc-go", "copy", SCRIPT)
GO_MANY = Way("polyproc from Go, 32 at once", "polyproc-go", "many", SCRIPT)
NODE = Way("polyproc from Node", "node/polyproc.mjs", "copy", SCRIPT)
NODE_TRY = Way("polyproc from Node, tryPut/tryGet first", "node/polyproc.mjs", "try", SCRIPT)
NODE_MANY = Way("polyproc from Node, 32 at once", "node/polyproc.mjs", "many", SCRIPT)

PIPE = Way("pipe", "kernel", "pipe")
SOCKETPAIR = Way("socketpair SEQPACKET", "kernel", "socketpair")
MQ = Way("POSIX mq", "kernel", "mq")
BOOST = Way("boost message_queue", "boost")
ZEROMQ = Way("ZeroMQ ipc", "zeromq")
NNG = Way("nng ipc", "nng")
CLOUDTOID = Way("cloudtoid", "cloudtoid")
CLOUDTOID_POLLS = Way("cloudtoid, polling", "cloudtoid", "polling", POLLS)
CLOUDTOID_MANY = Way("cloudtoid, batches", "cloudtoid", "many", BATCHES)
ICEORYX = Way("iceoryx2, event", "iceoryx2")
ICEORYX_POLLS = Way("iceoryx2, polling", "iceoryx2", "polling", POLLS)
ICEORYX_TAKE = Way("iceoryx2, event, read in place", "iceoryx2", "take", TAKES)
ICEORYX_LOAN = Way("iceoryx2, event, in place", "iceoryx2", "loan", LOANS)
ICEORYX_TAKE_POLLS = Way("iceoryx2, polling, read in place", "iceoryx2", "take-polling", POLLS)
ICEORYX_LOAN_POLLS = Way("iceoryx2, polling, in place", "iceoryx2", "loan-polling", POLLS)
IPC_CHANNEL = Way("ipc-channel", "ipc-channel")
REDIS = Way("Redis lists", "redis")
NODE_JSON = Way("Node process.send", "node/send.mjs", "json")
NODE_ADVANCED = Way("Node process.send, advanced", "node/send.mjs", "advanced")
SPSC = Way("spinning SPSC ring", "spsc", "copy", REFERENCE)
BOUND = Way("only reading what the other core wrote", "limits", "read", REFERENCE)
CROSSBEAM = Way("crossbeam-channel, threads", "crossbeam", "copy", REFERENCE)

PY_QUEUE = Way("Python Queue", "python/mp.py", "queue")
PY_JOINABLE = Way("Python JoinableQueue", "python/mp.py", "joinable")
PY_SIMPLE = Way("Python SimpleQueue", "python/mp.py", "simple")
PY_PIPE = Way("Python Pipe", "python/mp.py", "pipe")
PY_FIFO = Way("faster-fifo", "python/mp.py", "fifo")
PY_FIFO_MANY = Way("faster-fifo, batches", "python/mp.py", "fifo-many", BATCHES)

LOCK = Way("polyproc lock", "polyproc", "lock")
ROBUST = Way("pthread robust mutex", "glibc", "robust")
LOCKS = (
    LOCK,
    ROBUST,
    Way("pthread mutex", "glibc", "mutex"),
    Way("boost mutex", "boost", "mutex"),
    Way("Python Lock", "python/mp.py", "lock"),
)
SEMAPHORE = Way("polyproc semaphore", "polyproc", "semaphore")
SEM_T = Way("sem_t", "glibc", "semaphore")
SEMAPHORES = (
    SEMAPHORE,
    SEM_T,
    Way("boost semaphore", "boost", "semaphore"),
    Way("Python Semaphore", "python/mp.py", "semaphore"),
)
EVENT = Way("polyproc event", "polyproc", "event")
EVENTS = (
    EVENT,
    Way("futex", "glibc", "futex"),
    Way("sem_t", "glibc", "post"),
    Way("pthread condition", "glibc", "condition"),
    Way("Python Event", "python/mp.py", "event"),
)
SPAWN = Way("polyproc spawn + join", "polyproc")
POSIX_SPAWN = Way("posix_spawn + waitid", "kernel")
SPAWNS = (
    SPAWN,
    POSIX_SPAWN,
    Way("Python Process, fork", "python/mp.py", "fork"),
    Way("Python Process, spawn", "python/mp.py", "spawn"),
)
