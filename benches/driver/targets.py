"""The targets of polyproc: one line of docs/book/performance.md each, with the figure of this run."""

from dataclasses import dataclass

import ways as w
from cases import (
    COPYING, ROOM, SPREAD, W1, W1_NO_LIMIT, W1_PAIR, W1_ROOM, W2, W2_IDLE, W3, W4_EVENT, W4_PROCESSES,
    W5, W7, W7_CROWD, W7_IDLE, W8_CREATE, W8_OPEN, W9,
)
from results import in_units


@dataclass(frozen=True)
class Line:
    """At one distance: `ours` against `theirs`, both as text; the ratio says how many times as good ours is."""

    name: str
    ours: str
    theirs: str
    ratio: float
    must: float
    compared: tuple  # the summaries: ours, and the other one if there is one

    @property
    def met(self):
        return self.ratio >= self.must

    @property
    def any_cores(self):
        return self.compared[0].case.any_cores

    @property
    def runs(self):
        return [len(summary.runs) for summary in self.compared]


class Reader:
    """Looks figures up at one distance; returns None if there are none."""

    def __init__(self, table, distance):
        self.distance = distance
        self.found = {
            (case.name, s.way.label): s for case in table.cases() for s in table.summaries(case, distance)
        }
        self.order = {case.name: table.summaries(case, distance) for case in table.cases()}

    def of(self, case, way):
        return self.found.get((case, way if isinstance(way, str) else way.label))

    def best(self, case, *kinds):
        return next((s for s in self.order.get(case, ()) if not s.way.ours and s.way.kind in kinds), None)

    def best_of(self, case, ways):
        return next((s for s in self.order.get(case, ()) if not s.way.ours and s.way in ways), None)

    def extra(self, summary, member):
        """Returns another member of the same runs, as their median."""
        return summary and summary.extra(member)


def against(name, ours, theirs, must):
    if not ours or not theirs:
        return None
    higher = ours.case.higher_is_better
    ratio = ours.median / theirs.median if higher else theirs.median / ours.median
    return Line(name, ours.short(), f"{theirs.way.label} {theirs.short()}", ratio, must, (ours, theirs))


def at_most(name, ours, limit, text):
    """An absolute figure: the ratio is the limit over it."""
    return ours and Line(name, ours.short(), text, limit / max(ours.median, 1e-9), 1, (ours,))


def at_least(name, ours, limit, text):
    return ours and Line(name, ours.short(), text, ours.median / limit, 1, (ours,))


def streams(r):
    small, near = W1[64], r.distance == "near"
    plain = r.of(small, w.COPY)
    yield against("W1 64 B, put/get, the best that waits", plain, r.best(small, w.WAITS), 3)
    yield against("W1 64 B, put/get, the best that polls", plain, r.best(small, w.POLLS), 1.7 if near else 1.2)
    queue = r.of(small, w.PY_QUEUE)
    for way, name, must in ((w.COPY, "C", 60), (w.GO, "Go", 20), (w.NODE, "Node", 10)):
        yield against(f"W1 64 B, from {name}, Python's Queue", r.of(small, way), queue, must)
    yield at_least("W1 64 B, from Go, 32 at once", r.of(small, w.GO_MANY), 2e6, "at least 2 M/s")
    yield against("W1 64 B, put/get, the spinning ring", plain, r.of(small, w.SPSC), 0.8)
    yield against("W1 64 B, put_many/take_many of 32, the best that waits", r.of(small, w.MANY), r.best(small, w.WAITS), 8)
    yield against("W1 64 B, reserve/take, own put/get", r.of(small, w.LOAN), plain, 1)
    yield against("W1 8 B, put/get, the best that waits", r.of(W1[8], w.COPY), r.best(W1[8], w.WAITS), 2.5)
    for size, name in W1_NO_LIMIT.items():
        for way, bounded, what in ((w.UNLIMITED, w.COPY, "put/get"), (w.UNLIMITED_LOAN, w.LOAN, "reserve/take")):
            line = f"{name}, {what}, the same with room for 1,024"
            yield against(line, r.of(name, way), r.of(W1[size], bounded), 0.8)
    name = W1[1024]
    ours, rival = r.of(name, w.COPY), r.best(name, w.WAITS)
    yield against(f"{name}, put/get, the best that copies twice", ours, rival, 1.3)
    for size in (1024, 65536, 1 << 20):
        name = W1[size]
        yield against(f"{name}, put/take", r.of(name, w.TAKE), r.of(name, w.ICEORYX_TAKE), 1)
        yield against(f"{name}, reserve/take", r.of(name, w.LOAN), r.of(name, w.ICEORYX_LOAN), 1.5)
        own = r.of(name, w.COPY)
        yield against(f"{name}, reserve/take, own put/get", r.of(name, w.LOAN), own, 1.5)
    large, medium = r.of(W1[1 << 20], w.LOAN), r.of(W1[1024], w.LOAN)
    yield against("W1 1 MiB, reserve/take, the same at 1 KiB", large, medium, 0.8)


def rooms(r):
    """By copy, against peers with room for as many messages."""
    for (size, room), name in W1_ROOM.items():
        ours, line = r.of(name, w.COPY), f"{W1[size]}, put/get, {ROOM[room]}"
        if room:
            rival, must = r.best_of(name, COPYING), 1 if room == 1 else 1.3
            yield against(f"{line}, the best that copies twice", ours, rival, must)
        if room > 1:
            yield against(f"{line}, reading alone", ours, r.of(name, w.BOUND), 0.6)
            yield spread(f"{line}, the slowest run, the fastest", ours)


def spread(name, ours):
    if not ours:
        return None
    slowest, fastest = min(ours.values), max(ours.values)
    figures = in_units(slowest, ours.case), in_units(fastest, ours.case)
    line = Line(name, *figures, slowest / fastest, 0.7, (ours,))
    # A few runs can show that the spread is too wide, but not that it is not.
    return line if len(ours.runs) >= SPREAD / 2 or not line.met else None


def languages(r):
    """Node and Go, measured against C in the same run."""
    plain, pair = r.of(W1[64], w.COPY), r.of(W1_PAIR, w.COPY)
    yield against(f"{W1_PAIR}, from Go, C", r.of(W1_PAIR, w.GO), pair, 1 / 2.2)
    if not plain:
        return
    # The goals were set where C had 20 M/s, so each is a share of C's rate.
    scale = plain.median / 20e6
    wanted = {w.NODE_TRY: ("tryPut/tryGet first", 4e6), w.NODE: ("awaited", 2.5e6)}
    wanted[w.NODE_MANY] = "32 at once", 8e6
    for way, (name, rate) in wanted.items():
        least = f"at least {in_units(rate * scale, plain.case)}, {rate / 20e6:.3g} x C's {plain.short()}"
        yield at_least(f"W1 64 B, from Node, {name}", r.of(W1[64], way), rate * scale, least)
    ours = r.of(W1_PAIR, w.NODE_TRY)
    yield ours and at_most(
        f"{W1_PAIR}, from Node with tryPut and tryGet", ours, 250 / scale,
        f"at most {in_units(250 / scale, ours.case)}, 5 x C's {in_units(50 / scale, ours.case)} a message",
    )


def round_trips(r):
    plain = r.of(W2, w.COPY)
    yield against("W2 ping-pong, the best that polls", plain, r.best(W2, w.POLLS), 1)
    if plain:
        tail = plain.extra("p99_9_ns")
        yield Line("W2 ping-pong, p99.9 against 4 x its median", f"{tail:.0f} ns", plain.short(), 4 * plain.median / tail, 1, (plain,))
    yield against("W2 ping-pong without spinning, the best that sleeps", r.of(W2, w.ASLEEP), r.best(W2, w.WAITS), 1)
    yield against("W2 1 ms apart, the best that sleeps", r.of(W2_IDLE, w.COPY), r.best(W2_IDLE, w.WAITS), 1)


def many(r):
    for name in W3.values():
        ours = r.of(name, w.COPY)
        yield against(f"{name}, the best that waits", ours, r.best(name, w.WAITS), 2)
        if ours:
            share = ours.extra("largest_share")
            yield Line(f"{name}, the largest share of a consumer", f"{share:.2f} of a fair one", "at most 1.5", 1.5 / share, 1, (ours,))
    yield against(f"{W3[8]}, the same at 2x2", r.of(W3[8], w.COPY), r.of(W3[2], w.COPY), 0.6)


def locks(r):
    for n, name in W4_PROCESSES.items():
        lock, semaphore = f"W4 lock, {name}", f"W4 semaphore, {name}"
        must = 1.5 if n > 1 and r.distance == "near" else 1
        yield against(lock, r.of(lock, w.LOCK), r.of(lock, w.ROBUST), must)
        if n > 1:
            yield against(semaphore, r.of(semaphore, w.SEMAPHORE), r.of(semaphore, w.SEM_T), 1.3)
    yield against(W4_EVENT, r.of(W4_EVENT, w.EVENT), r.best(W4_EVENT, w.WAITS), 1)


def costs(r):
    yield against(W5, r.of(W5, w.SPAWN), r.of(W5, w.POSIX_SPAWN), 1 / 1.1)
    limits = (("empty queue", 256, "256 KiB"), ("queue of 1,024", 256, "256 KiB"), ("lock", 24, "24 KiB"))
    limits += (("unlimited queue that held 1 GiB", 4096, "4 MiB"), ("the library's thread", 80, "64 KiB of stack, 16 beside"))
    for what, kib, text in limits:
        yield at_most(f"W7 {what}", r.of(W7, f"polyproc, {what}"), kib * 1024, f"at most {text}")
    yield at_most(W7_IDLE, r.of(W7_IDLE, "polyproc, waiting"), 1, "at most 0.1 % of a core")
    crowd = r.of(W7_CROWD, "polyproc, waiting")
    yield at_most(W7_CROWD, crowd, 10, "at most 1 % of a core in all")
    if crowd:
        noticed = crowd.extra("noticed_ns")
        name, ms = f"{W7_CROWD}, a death is noticed", f"{noticed / 1e6:.2f} ms"
        yield Line(name, ms, "within 50 ms", 50e6 / noticed, 1, (crowd,))
    for name in (W8_CREATE, W8_OPEN):
        yield at_most(name, r.of(name, w.COPY), 100_000, "at most 100 us")
    for name, sizes in W9.values():
        first = r.of(name, f"polyproc, {sizes[0]:,}")
        for n in sizes[1:]:
            yield against(f"{name}: {n:,}", r.of(name, f"polyproc, {n:,}"), first, 1 / 1.5)


PARTS = (streams, rooms, languages, round_trips, many, locks, costs)


def lines(table, distance):
    reader = Reader(table, distance)
    for part in PARTS:
        yield from (line for line in part(reader) if line)
