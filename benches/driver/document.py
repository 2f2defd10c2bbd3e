"""docs/book/performance.md: performance.md.in filled with the figures."""

import time
from pathlib import Path
from statistics import median, quantiles

import machine
import results
import targets
import ways as w
from cases import COPYING, ROOM, SPREAD, W1, W1_ROOM, W2, W4_EVENT, cases
from results import DISTANCES, distances, in_units

TEMPLATE = Path(__file__).with_name("performance.md.in")

# A peer that polls, and the way of polyproc that passes messages as that peer does.
LIKE = {w.ICEORYX_TAKE_POLLS: w.TAKE, w.ICEORYX_LOAN_POLLS: w.LOAN}

# The names of the guard, and the calls that it counts together: see benches/guard/guard.c.
COUNTED = {
    "put": "a put",
    "get": "a get",
    "reserve_commit": "a reserve and its commit",
    "take_done": "a take and its done",
    "put_many": "put_many of 32, per message",
    "take_many": "take_many of 32 and then a done for each message, per message",
    "take_many_only": "that take_many alone, per message",
    "done_many": "done_many of 32 that were taken, per message",
    "lock": "an acquire and its release",
    "semaphore": "an acquire and its release",
    "event": "a set, a wait that finds it set, and a clear",
    "send": "a send into a pipe",
    "recv": "a recv from a pipe",
}


def span(values):
    """Returns the least and the greatest of milliseconds, in seconds."""
    low, high = min(values) / 1000, max(values) / 1000
    return f"{low:g} s" if low == high else f"{low:g} to {high:g} s"


def arguments(group, name):
    """Returns the numbers that the cases of a group have under a name."""
    of_group = (arg for case in cases() if case.group in group for arg in case.args)
    return [int(arg.removeprefix(f"{name}=")) for arg in of_group if arg.startswith(f"{name}=")]


def limits(table):
    """Returns the machine's limits as the rows of a table: minimum / median / maximum."""
    names = {
        "line_ns": "cache line from core to core, one way (ns)",
        "cas_ns": "compare-and-swap, uncontended (ns)",
        "contended_add_ns": "atomic add to one word by two cores, per add of either (ns)",
        "syscall_ns": "system call (ns)",
        "wake_nobody_ns": "futex wake that finds nobody (ns)",
        "pause_ns": "pause (ns)",
        "clock_ns": "reading the clock (ns)",
        "memcpy_64kib_gb": "memcpy, 64 KiB (GB/s)",
        "memcpy_1mib_gb": "memcpy, 1 MiB (GB/s)",
        "memcpy_64mib_gb": "memcpy, 64 MiB (GB/s)",
        "read_64kib_gb": "reading 64 KiB that the other core just wrote (GB/s)",
        "read_1mib_gb": "reading 1 MiB that the other core just wrote (GB/s)",
    }
    for member, name in names.items():
        values = [taken[member] for taken in table.limits]
        yield f"| {name} | {min(values):.4g} / {median(values):.4g} / {max(values):.4g} |"


def counts(table):
    found = [run.distance for run in table.runs]
    return (
        f"of {len(found)} runs, {found.count('near')} had near cores (a cache line crosses in under "
        f"{results.NEAR_NS} ns, one way), {found.count('far')} far ones, and during "
        f"{found.count('changed')} the cores changed, so these are in runs.csv only"
    )


def target_rows(table):
    """Returns the name of each line beside its row."""
    by_distance = {distance: list(targets.lines(table, distance)) for distance in DISTANCES}
    names = dict.fromkeys(line.name for lines in by_distance.values() for line in lines)
    for name in names:
        for distance in DISTANCES:
            line = next((line for line in by_distance[distance] if line.name == name), None)
            if line:
                met = "yes" if line.met else "**no**"
                runs = " / ".join("**1**" if n == 1 else str(n) for n in line.runs)
                figures = f"{line.ours} | {line.theirs} | {runs} | {line.ratio:.2f} | {line.must:.2f}"
                cores = results.ANY if line.any_cores else distance
                yield name, f"| {name} | {cores} | {figures} | {met} |"
            if line and line.any_cores:
                break


def spread(table):
    """Returns the runs by copy at each room: minimum, quartiles, maximum, and the best peer."""
    readers = {distance: targets.Reader(table, distance) for distance in DISTANCES}
    for (size, room), name in W1_ROOM.items():
        for distance, reader in readers.items():
            ours, peer = reader.of(name, w.COPY), reader.best_of(name, COPYING)
            if not ours:
                continue
            runs = ours.values
            middle = quantiles(runs, n=4, method="inclusive") if len(runs) > 1 else runs * 3
            figures = (in_units(value, ours.case) for value in (min(runs), *middle, max(runs)))
            best = f"{peer.way.label} {peer.short()}" if peer else ""
            yield (
                f"| {W1[size].removeprefix('W1 ')}, {ROOM[room]} | {distance} | {len(runs)} "
                f"| {' | '.join(figures)} | {min(runs) / max(runs):.2f} | {best} |"
            )


def rooms(table):
    """Returns the peers that did not have the room that was asked for, and what they had."""
    found = {}
    for run in table.runs:
        if room := run.figures.get("capacity"):
            found.setdefault(run.way.label, {}).setdefault(room, {})[run.case.name] = None
    for label, by_room in found.items():
        said = (f"{room:,} in {', '.join(cases)}" for room, cases in by_room.items())
        yield f"- {label}: {'; '.join(said)}"


def like(way, case, summaries):
    """Returns polyproc's way that passes messages as a peer's does; None if the case has none."""
    ours = [s for s in summaries if s.way.ours]
    if way in LIKE:
        return next((s for s in ours if s.way == LIKE[way]), None)
    if way.kind == w.POLLS:
        return next((s for s in ours if s.way == case.ways[0]), None)
    return next((s for s in ours if s.way.kind == way.kind), None)


def ahead(table):
    """Returns every peer that was better than polyproc's way that passes messages as it does."""
    for case in table.cases():
        if case.name.startswith(("W7", "W9")):
            continue
        for distance in distances(case):
            summaries = table.summaries(case, distance)
            for s in summaries:
                ours = like(s.way, case, summaries)
                if s.way.ours or not ours or s.way.kind == w.REFERENCE:
                    continue
                factor = s.median / ours.median if case.higher_is_better else ours.median / s.median
                if factor > 1:
                    yield (
                        f"- {case.name}, {distance}: {s.way.label} ({s.way.kind}) {s.short()}, "
                        f"{factor:.2f} x as good as {ours.way.label} with {ours.short()}; "
                        f"{len(s.runs)} and {len(ours.runs)} runs"
                    )


def physics(table):
    """Returns how far polyproc is from the machine's limits."""
    for distance in DISTANCES:
        reader = targets.Reader(table, distance)
        lines = [run.line_ns for run in table.runs if run.distance == distance]
        line = median(lines) if lines else 0
        trip, ring = reader.of(W2, w.COPY), reader.of(W2, w.SPSC)
        if trip:
            yield (
                f"- {distance}: a round trip takes {trip.median / line:.1f} cache-line times of {line:.0f} ns; two messages "
                f"cannot take under 2" + (f", and the spinning ring takes {ring.median / line:.1f}." if ring else ".")
            )
        small, ring = reader.of(W1[64], w.COPY), reader.of(W1[64], w.SPSC)
        if small:
            yield (
                f"- {distance}: a message of 64 B every {1e9 / small.median:.0f} ns, {1e9 / small.median / line:.2f} cache-line times"
                + (f"; the spinning ring, one every {1e9 / ring.median:.0f} ns." if ring else ".")
            )
        copy = median(taken["memcpy_1mib_gb"] for taken in table.limits)
        large = reader.of(W1[1 << 20], w.COPY)
        if large:
            yield (
                f"- {distance}: 1 MiB copied in and out at {large.median * (1 << 20) / 1e9:.1f} GB/s, while one core alone "
                f"copies it once, in its own cache, at {copy:.0f} GB/s."
            )
        event, futex = reader.of(W4_EVENT, w.EVENT), reader.of(W4_EVENT, "futex")
        if event and futex:
            yield f"- {distance}: set to running takes {event.short()} with an event, {futex.short()} with a bare futex."


def guard():
    figures = Path(__file__).resolve().parents[1] / "guard/figures.txt"
    for line in figures.read_text().splitlines():
        name, count, atomics = line.split()
        yield f"| {name} | {COUNTED[name]} | {count} | {atomics} |"


def write(table, path, machines, repeat, seconds, pool):
    lines = list(target_rows(table))
    names, rows = [name for name, _ in lines], [row for _, row in lines]
    few = sum("**1**" in row for row in rows)
    parts = {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": machine.summary(),
        "processor": "\n".join(machine.rows(table)),
        "machines": "\n".join(machine.side_by_side(machines, names)),
        "spread": "\n".join(spread(table)),
        "rooms": "\n".join(rooms(table)) or "- none in this run",
        "repeat": str(repeat),
        "spread_runs": str(SPREAD),
        "few": f"{few} line rests" if few == 1 else f"{few} lines rest",
        "warm": span(arguments(("W1", "W2", "W3", "W4"), "warm")),
        **{f"length {group}": span(arguments((group,), "ms")) for group in ("W1", "W2", "W3", "W4", "W5", "W8")},
        "minutes": f"{seconds / 60:.0f}",
        "counts": counts(table),
        "limits": "\n".join(limits(table)),
        "targets": "\n".join(rows),
        "met": f"{sum(row.endswith('| yes |') for row in rows)} of {len(rows)}",
        "ahead": "\n".join(ahead(table)) or "In no case.",
        "physics": "\n".join(physics(table)),
        "pool": pool,
        "guard": "\n".join(guard()),
        "skipped": "\n".join(f"- {line}" for line in results.skipped(table)),
    }
    text = TEMPLATE.read_text()
    for name, value in parts.items():
        text = text.replace("{{" + name + "}}", value)
    path.write_text(text)
