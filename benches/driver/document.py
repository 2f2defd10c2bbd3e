"""docs/book/performance.md: performance.md.in filled with the figures."""

import time
from pathlib import Path
from statistics import median, quantiles

import machine
import results
import targets
import ways as w
from cases import COPYING, ROOM, W1, W1_ROOM, W2, W4_EVENT
from results import DISTANCES, in_units

TEMPLATE = Path(__file__).with_name("performance.md.in")


def limits(table):
    """Returns the machine's limits as the rows of a table: minimum / median / maximum."""
    names = {
        "line_ns": "cache line from core to core, one way (ns)",
        "cas_ns": "compare-and-swap, uncontended (ns)",
        "contended_add_ns": "atomic add, two cores at it (ns)",
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
                figures = f"{line.ours} | {line.theirs} | {line.ratio:.2f} | {line.must:.2f}"
                yield name, f"| {name} | {distance} | {figures} | {met} |"


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


def ahead(table):
    """Returns every peer that was better than polyproc's way of the same kind or its plain one."""
    for case in table.cases():
        if case.name.startswith(("W7", "W9")):
            continue
        for distance in DISTANCES:
            summaries = table.summaries(case, distance)
            for s in summaries:
                ours = next((o for o in summaries if o.way.ours and o.way.kind == s.way.kind), None)
                ours = ours or next((o for o in summaries if o.way == case.ways[0]), None)
                if s.way.ours or not ours or s.way.kind == w.REFERENCE:
                    continue
                factor = s.median / ours.median if case.higher_is_better else ours.median / s.median
                if factor > 1:
                    yield (
                        f"- {case.name}, {distance}: {s.way.label} ({s.way.kind}) {s.short()}, "
                        f"{factor:.2f} x as good as {ours.way.label} with {ours.short()}"
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
        yield f"| {name} | {count} | {atomics} |"


def write(table, path, machines, repeat, seconds, pool):
    lines = list(target_rows(table))
    names, rows = [name for name, _ in lines], [row for _, row in lines]
    parts = {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": machine.summary(),
        "processor": "\n".join(machine.rows(table)),
        "machines": "\n".join(machine.side_by_side(machines, names)),
        "spread": "\n".join(spread(table)),
        "rooms": "\n".join(rooms(table)) or "- none in this run",
        "repeat": str(repeat),
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
