"""The machine, and the last run on each kind of machine.

The kind is the processor's vendor, family and model, and whether the cores are near or far. Each
has a file in docs/book/performance/machines; a run writes those of its own kinds only."""

import json
import os
import platform
import time
from pathlib import Path
from statistics import median

import targets
from results import DISTANCES, NEAR_NS

CPU = Path("/sys/devices/system/cpu")


def processor():
    """Returns what /proc/cpuinfo says about the first one."""
    first = Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    fields = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in fields}


def cores():
    return sorted(os.sched_getaffinity(0))


def summary():
    name = processor().get("model name") or platform.machine()
    return f"{len(cores())} cores of {name}, Linux {platform.release().split('-')[0]}"


def read(path):
    try:
        return path.read_text().strip()
    except OSError:
        return "unknown"


def caches():
    for index in sorted((CPU / f"cpu{cores()[0]}/cache").glob("index*")):
        names = ("level", "type", "size", "shared_cpu_list")
        level, kind, size, shared = (read(index / name) for name in names)
        yield f"L{level} {kind.lower()} {size}, used by CPU {shared}"


def siblings():
    """Says what the kernel knows about the two cores that processes are pinned to."""
    first, second = cores()[:2]
    threads = [read(CPU / f"cpu{n}/topology/thread_siblings_list") for n in (first, second)]
    same = "are" if threads[0] == threads[1] else "are not"
    return f"CPU {first} and {second} {same} two of one core, says the kernel"


def probe(runs):
    lines = [run.line_ns for run in runs]
    return f"{min(lines):.0f} / {median(lines):.0f} / {max(lines):.0f} ns, {len(lines)} times"


def rows(table):
    """Returns the rows of a table about this machine."""
    found = processor()
    for name in ("vendor_id", "cpu family", "model", "model name", "stepping"):
        yield f"| {name.removesuffix('_id')} | {found.get(name, 'unknown')} |"
    yield f"| caches | {'; '.join(caches()) or 'unknown'} |"
    yield f"| hyper-threads | {siblings()} |"
    for distance in DISTANCES:
        runs = [run for run in table.runs if run.distance == distance]
        if runs:
            side = "under" if distance == "near" else "from"
            yield f"| a cache line, {distance} ({side} {NEAR_NS} ns) | {probe(runs)} |"


def write(table, folder):
    """Writes a file for each distance at which most of the targets were measured."""
    found = processor()
    key = [found.get(name, platform.machine()) for name in ("vendor_id", "cpu family", "model")]
    lines = {distance: list(targets.lines(table, distance)) for distance in DISTANCES}
    names = {line.name for each in lines.values() for line in each if not line.any_cores}
    folder.mkdir(parents=True, exist_ok=True)
    for distance, each in lines.items():
        of_distance = sum(not line.any_cores for line in each)
        if not of_distance or 2 * of_distance < len(names):
            continue
        kind = "-".join([*key, distance]).replace(" ", "-")
        run = {
            "kind": kind,
            "name": found.get("model name", platform.machine()),
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "line_ns": median(run.line_ns for run in table.runs if run.distance == distance),
            "ratios": {line.name: round(line.ratio, 2) for line in each},
            "missed": [line.name for line in each if not line.met],
        }
        (folder / f"{kind}.json").write_text(json.dumps(run, indent=1) + "\n")


def side_by_side(folder, names):
    """Returns the rows of a table: the lines, first those of `names`; a column for each kind."""
    runs = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    yield "| | " + " | ".join(run["kind"].replace("-", " ") for run in runs) + " |"
    yield "|---|" + "--:|" * len(runs)
    yield "| model name | " + " | ".join(run["name"] for run in runs) + " |"
    yield "| date | " + " | ".join(run["date"] for run in runs) + " |"
    yield "| cache line, one way | " + " | ".join(f"{run['line_ns']:.0f} ns" for run in runs) + " |"
    for name in dict.fromkeys([*names, *(name for run in runs for name in run["ratios"])]):
        cells = []
        for run in runs:
            ratio = f"{run['ratios'][name]:.2f}" if name in run["ratios"] else ""
            cells.append(f"**{ratio}**" if name in run["missed"] else ratio)
        yield f"| {name} | " + " | ".join(cells) + " |"
