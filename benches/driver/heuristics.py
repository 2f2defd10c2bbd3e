"""The heuristics of waiting and the limits beside them, for docs/book/tuning.md.

Their numbers come from src/pace/mod.rs.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from cases import Case
from ways import Way

PACE = Path(__file__).resolve().parents[2] / "src/pace"

QUEUE = (Way("polyproc", "polyproc"),)
UNLIMITED = (Way("polyproc, unlimited", "polyproc", "unlimited"),)
PIPE = (Way("polyproc, pipe", "polyproc", "pipe"),)
LOCK = (Way("polyproc lock", "polyproc", "lock"),)
SEMAPHORE = (Way("polyproc semaphore", "polyproc", "semaphore"),)
STREAM, PING_PONG = ("warm=40", "ms=120"), ("size=64", "warm=20", "ms=120")


@dataclass(frozen=True)
class Setting:
    """A case, and what else the machine does meanwhile."""

    case: Case
    cores: int = 0  # of the processes of the case; 0: all that the run has
    hogs: int = 0  # processes that never sleep, in turn on each core


def stream(name, size, ways=QUEUE, *more):
    return Setting(Case(name, "stream", (f"size={size}", *STREAM, *more), ways))


def many(n):
    args = ("size=64", f"producers={n}", f"consumers={n}", "warm=60", f"ms={100 * n}")
    return Setting(Case(f"W3 {n}x{n}", "stream", args, QUEUE))


def locks(name, n, ways):
    return Setting(Case(name, "lock", (f"producers={n}", "ms=120"), ways, "ns"))


def ping_pong(name, ways=QUEUE):
    return Setting(Case(name, "pingpong", PING_PONG, ways, "p50_ns"))


def shared_core(name, **machine):
    """A ping-pong by its rate: its median hides rounds in which another process had the core."""
    return Setting(Case(name, "pingpong", PING_PONG, QUEUE), **machine)


W1_8, W1_64, W1_64K = stream("W1 8 B", 8), stream("W1 64 B", 64), stream("W1 64 KiB", 65536)
W1_16K, W1_1M = stream("W1 16 KiB", 16384), stream("W1 1 MiB", 1 << 20)
W1_UNLIMITED = stream("W1 64 B, unlimited", 64, UNLIMITED)
W1_UNLIMITED_4K = stream("W1 4 KiB, unlimited", 4096, UNLIMITED)
W1_PIPE = stream("W1 64 B, pipe", 64, PIPE)
W2 = ping_pong("W2")
W2_PIPE = ping_pong("W2, pipe", PIPE)
W2_ONE_CORE = shared_core("W2 on one core", cores=1)
W2_HOGS = shared_core("W2 beside busy processes", hogs=2)
W3_2, W3_4 = many(2), many(4)
BASE = (W1_8, W1_64, W1_64K, W2, W3_2, W3_4)


@dataclass(frozen=True)
class Heuristic:
    name: str  # as in POLYPROC_PACE
    numbers: tuple  # constants of src/pace/mod.rs
    why: str
    more: tuple = ()  # settings beside BASE in which it acts

    @property
    def settings(self):
        return BASE + self.more


LOCKS = (
    locks("W4 lock, 2 processes", 2, LOCK),
    locks("W4 lock, 4 processes", 4, LOCK),
    locks("W4 semaphore, 4 processes", 4, SEMAPHORE),
)

HEURISTICS = (
    Heuristic(
        "spin",
        ("SPIN_LOOKS",),
        "A wait that ends sooner than a sleep and a wake-up take is cheaper as a spin.",
        (W1_PIPE, W2_PIPE, W2_ONE_CORE, W2_HOGS),
    ),
    Heuristic(
        "wake-cost",
        ("USUAL_WAKE_NS", "LEAST_WAKE_NS", "MOST_WAKE_NS", "ROUND_TRIPS"),
        "A spin's length is measured: a wake-up costs 5 us on one machine and 50 on another.",
        (W1_PIPE, W2_PIPE),
    ),
    Heuristic(
        "budget",
        ("LEAST_SPIN", "SHORT_SLEEP"),
        "Spins in vain become short, so a wait for a slow peer leaves its core alone.",
        (W1_PIPE, W2_PIPE, W2_ONE_CORE, W2_HOGS),
    ),
    Heuristic(
        "give-way",
        ("ALONE_NS", "TURN_NS"),
        "With more processes than cores, the peer may need this core.",
        (W1_PIPE, W2_PIPE, W2_ONE_CORE, W2_HOGS),
    ),
    Heuristic(
        "wary",
        ("HOGGED_NS", "WARY_WAITS"),
        "Beside a process that never sleeps, a spin that gives way gets its core back late.",
        (W2_ONE_CORE, W2_HOGS),
    ),
    Heuristic(
        "batch",
        ("ITEMS_SLOWEST", "SPACE_SLOWEST", "ITEMS_ENOUGH", "COMFORTABLE"),
        "A wait that looks a moment later finds several messages for one cache miss.",
        (W1_UNLIMITED,),
    ),
    Heuristic(
        "single",
        ("ITEMS_SINGLE",),
        "A message that comes alone must not wait for others.",
        (W1_UNLIMITED,),
    ),
    Heuristic(
        "distance",
        ("TRIAL_EVERY", "TRIAL", "FARTHEST", "SLOW", "SLOW_BYTES", "ENOUGH", "ENOUGH_BYTES", "PART"),
        "As batch, for calls that do not wait.",
        (W1_UNLIMITED,),
    ),
    Heuristic(
        "pressure",
        ("BYTES_PER_NS",),
        "A short wait is cheaper than fresh memory, and a small ring stays in the caches.",
        (W1_UNLIMITED, W1_UNLIMITED_4K),
    ),
    Heuristic(
        "credit",
        ("EARNED_NS", "MOST_CREDIT_NS"),
        "Consumers that were quick may have lost their core for a moment only.",
        (W1_UNLIMITED, W1_UNLIMITED_4K),
    ),
    Heuristic(
        "backoff",
        ("BACKOFF_LOOKS", "BACKOFF_LONGEST", "BACKOFF_TURNS"),
        "A lock that is taken is free sooner than a sleeper is woken.",
        (*LOCKS, W1_PIPE),
    ),
    Heuristic(
        "stream",
        (
            "STREAM_SHORTEST",
            "STREAM_CLASSES",
            "STREAM_WORTH",
            "STREAM_TRIAL_SOON",
            "STREAM_TRIAL_EVERY",
            "STREAM_SURE",
            "STREAM_ROUND",
            "STREAM_LEAST_ROUND",
        ),
        "Stores past the caches need not wait until the consumer's core has given up the lines.",
        (W1_16K, W1_1M),
    ),
)

# Limits, not heuristics: no benchmark of speed shows what they bound, so they are not switched off.
LIMITS = (
    (
        ("FIRST_RECHECK_NS", "LAST_RECHECK_NS"),
        "how late a change without a wake-up is noticed, and how many system calls that takes",
    ),
    (("FIRST_SLICE_NS", "LAST_SLICE_NS"), "how late a death is noticed without futex_waitv(2)"),
    (
        ("CROWD_LOOKS",),
        "how late a death among many processes is noticed if a stopped one took the wake-up",
    ),
    (("FIRST_LOWERING_NS", "LAST_LOWERING_NS"), "how long a descriptor stays readable for nothing"),
    (("REAP_EVERY",), "how late a consumer that never sleeps notices a death"),
    (
        ("FAR_APART_MS",),
        "how exactly the age of a lease is known in a process that sleeps between its calls",
    ),
    (
        ("LOOK_EVERY_NS",),
        "how often /proc is read for participants that the kernel does not watch",
    ),
    (("SIGNALS_NS",), "how late Ctrl-C ends the wait of a language runtime"),
    (("LEFT_NS",), "how often a recovery waits for a lock that a stopped process holds"),
    (
        ("LULL_NS",),
        "how long an empty queue keeps the memory of drained rings (W7 of docs/book/performance.md)",
    ),
    (
        ("BRIEF_NS", "BRIEF_BUSY_NS", "BUSY_STEP_NS", "STILL_LOOKS", "MOMENT_NS"),
        "how late a call that does not block may be",
    ),
    (("RECOVERY_NS", "RECOVERY_BUSY_NS"), "how long a call waits for locks to recover the dead"),
    (
        ("PIPE_LOCK_NS", "PIPE_STEP_NS"),
        "how long a call of a pipe waits for a thread that may be stopped",
    ),
    (
        ("REPORTS_PAUSE_NS", "START_PAUSE_NS", "LONGEST_START_PAUSE_NS"),
        "how soon a pool tries again",
    ),
    (("MONITOR_LOOK_NS", "FORK_ANSWER_NS"), "how soon a pool looks at its workers again"),
)

# Those of the bindings, which no variable switches: name, number, why, with, without, command.
BINDINGS = (
    (
        "Node: turns of the event loop before a thread waits",
        "TURNS = 16",
        "The answer of another process comes while the loop turns.",
        "ping-pong 4 us (8 turns or more)",
        "65 us (4 or fewer)",
        "`node benches/peers/node/polyproc.mjs pingpong`",
    ),
    (
        "Node: calls between two turns of the event loop",
        "RUN = 1024",
        "Timers and sockets get their turn within a millisecond.",
        "a turn costs 7 % of a loop",
        "24 % after each 64 calls",
        '`npm run bench` in bindings/node, "await put + get"',
    ),
    (
        "Go: a short wait as a plain call into C",
        "shortWait = 1 ms",
        "The answer of another process comes within it.",
        "ping-pong 3 us (20 us to 10 ms)",
        "165 us (0)",
        "`go test -bench PingPong` in bindings/go",
    ),
)


def numbers():
    """The constants of src/pace/mod.rs, as they stand there."""
    text = (PACE / "mod.rs").read_text()
    found = re.findall(r"const (\w+): \w+ = ([^;]+);", text)
    return {name: value.replace("_", ",") for name, value in found}


def check():
    """Fail when a heuristic or a number of the library is missing here, or the other way round."""
    known = set(re.findall(r'\("([a-z-]+)", Heuristic::', (PACE / "switches.rs").read_text()))
    mine = {heuristic.name for heuristic in HEURISTICS}
    used = {number for heuristic in HEURISTICS for number in heuristic.numbers}
    used |= {number for names, _ in LIMITS for number in names}
    units = {"SPIN_PAUSE_NS"}
    wrong = (known ^ mine) | ((set(numbers()) - units) ^ used)
    if wrong:
        names = ", ".join(sorted(wrong))
        raise SystemExit(f"benches/driver/heuristics.py and src/pace differ: {names}")
