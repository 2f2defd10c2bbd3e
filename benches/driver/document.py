"""docs/book/performance.md: performance.md.in filled with the figures."""

import os
import platform
import time
from pathlib import Path
from statistics import median

import results
import targets
import ways as w
from cases import W1, W2, W4_EVENT

TEMPLATE = Path(__file__).with_name("performance.md.in")
DISTANCES = ("near", "far")


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores of {model or platform.machine()}, Linux {platform.release().split('-')[0]}"


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
        "read_1mib_gb": "reading 1 MiB that the other core just wrote (GB/s)",
    }
    for member, name in names.items():
        values = [taken[member] for taken in table.limits]
        yield f"| {name} | {min(values):.4g} / {median(values):.4g} / {max(values):.4g} |"


def counts(table):
    lines = [run.line_ns for run in table.runs]
    near = sum(run.distance == "near" for run in table.runs)
    return f"{near} of {len(lines)} runs had near cores (a cache line crosses in under {results.NEAR_NS} ns, one way)"


def target_rows(table):
    by_distance = {distance: list(targets.lines(table, distance)) for distance in DISTANCES}
    names = dict.fromkeys(line.name for lines in by_distance.values() for line in lines)
    for name in names:
        for distance in DISTANCES:
            line = next((line for line in by_distance[distance] if line.name == name), None)
            if line:
                met = "yes" if line.met else "**no**"
                yield f"| {name} | {distance} | {line.ours} | {line.theirs} | {line.ratio:.2f} | {line.must:.2f} | {met} |"


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


def write(table, path, repeat, seconds, pool):
    rows = list(target_rows(table))
    parts = {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": machine(),
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
