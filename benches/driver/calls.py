"""The cost of single calls, by each language's own tool, in one table, which is
docs/book/performance/calls.md. Go's runs are kept beside it, for benchstat."""

import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "docs/book/performance"
GO_COUNT = 6  # benchstat wants that many for its intervals
BATCH = 32
SIZES = {8: "8 bytes", 64: "64 bytes", 1024: "1 KiB", 65536: "64 KiB"}
LANGUAGES = ("C", "Rust", "Go", "Node", "Python")
UNITS = {"ps": 1e-3, "ns": 1, "µs": 1e3, "ms": 1e6}
HEAD = f"""# What single calls cost

Written by `make bench-calls`: nanoseconds, in one process, alone with the object. A dash: the
language has no such call, or its benchmark has no line for it. C and Rust are measured by
criterion, Go by `go test -bench` (the median of {GO_COUNT}; all runs, also those of pools and
between processes, are in [calls-go.txt](calls-go.txt)), Node by mitata, Python by `benches/python`.
Where Node has a call that tries and one that waits, the call that tries was measured.

The rows of bare calls are the floor of Go: whatever the binding does, a put and a get cost two
calls of cgo, each of which costs more than C takes for a put or a get. In calls-go.txt
`PutGetSlice` is a put and a get whose result is a slice of its own, and `PoolSubmit` one task of
1,000 that are submitted at once.

"""


def of_sizes(call, per=1, **names):
    """Rows of one call, one for each size. A language's line has {size} in its name, or is of 64
    bytes only."""
    for size, shown in SIZES.items():
        lines = {
            language: name.format(size=size)
            for language, name in names.items()
            if size == 64 or "{size}" in name
        }
        yield f"{call}, {shown}", lines, per


#: Name, the line of each language's benchmark, and how many messages that line is about.
CALLS = [
    *of_sizes(
        "put + get",
        C="put + get/{size}",
        Rust="put + get/{size}",
        Go="PutGet/{size}",
        Node="{size} bytes/tryPut + tryGet",
        Python="put + get, {size} bytes",
    ),
    ("put + get of a slice of its own, 64 bytes", {"Go": "PutGetSlice"}, 1),
    ("put + get, 64 bytes, as two bare calls of cgo", {"Go": "BareCalls/put_+_get"}, 1),
    ("two calls of cgo that do nothing", {"Go": "BareCalls/two_that_do_nothing"}, 1),
    (
        "put + take + done, 64 bytes",
        {
            "Go": "TakeDone",
            "Node": "64 bytes/tryPut + tryTake + done",
            "Python": "put + take + done, 64 bytes",
        },
        1,
    ),
    *of_sizes(
        "reserve + commit + take + done",
        C="reserve + commit + take + done/{size}",
        Rust="reserve + commit + take + done/{size}",
        Node="{size} bytes/tryReserve + commit + tryTake + data + done",
        Python="reserve + commit + take + done, {size} bytes",
    ),
    *of_sizes(
        f"a message of put_many + take_many of {BATCH} + done",
        per=BATCH,
        C="put_many + take_many of 32 + done/{size}",
        Rust="put_many + take_many of 32 + done_many/{size}",
        Go="PutManyTakeMany",
        Node="{size} bytes/tryPutMany + tryTakeMany + doneMany of 32",
        Python="put_many + take_many of 32 + done, {size} bytes",
    ),
    (
        "pipe: send + recv, 64 bytes",
        {
            "Rust": "pipe: send + recv of 64 bytes",
            "Node": "64 bytes/pipe: trySend + tryRecv",
            "Python": "pipe: send_bytes + recv_bytes, 64 bytes",
        },
        1,
    ),
    (
        "await put + get, 64 bytes",
        {"Node": "64 bytes/await put + get", "Python": "await aput + aget, 64 bytes"},
        1,
    ),
    (
        "put + get of a small value, MessagePack",
        {
            "Go": "Value",
            "Node": "msgpack: tryPut + tryGet",
            "Python": "put + get of a small dict, msgpack",
        },
        1,
    ),
    ("put + get of a small value, pickle", {"Python": "put + get of a small dict, pickle"}, 1),
    (
        "lock: acquire + release",
        {
            "C": "lock: acquire + release",
            "Rust": "lock: acquire + release",
            "Go": "Lock",
            "Node": "lock: tryAcquire + release",
            "Python": "lock: acquire + release",
        },
        1,
    ),
    (
        "semaphore: acquire + release",
        dict.fromkeys(("C", "Rust", "Python"), "semaphore: acquire + release"),
        1,
    ),
    (
        "event: set + wait + clear",
        dict.fromkeys(("C", "Rust", "Python"), "event: set + wait + clear"),
        1,
    ),
    ("queue: create + close", {"Rust": "queue: create + close"}, 1),
]


def of_criterion(text):
    """The lines of C and of Rust."""
    found = {"C": {}, "Rust": {}}
    for language, name, ns in re.findall(
        r"^test \w+ in (C|Rust)/(.*) \.\.\. bench: +([\d,]+) ns/iter", text, re.MULTILINE
    ):
        found[language][name] = float(ns.replace(",", ""))
    return found


def of_go(text):
    runs = {}
    for name, ns in re.findall(
        r"^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op", text, re.MULTILINE
    ):
        runs.setdefault(name, []).append(float(ns))
    return {name: statistics.median(each) for name, each in runs.items()}


def of_node(text):
    found, group, before = {}, "", ""
    for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines():
        if line.startswith("• "):
            group = line[2:].strip() + "/"
        elif line.startswith("---") and not before.strip():
            group = ""  # those of no group
        elif row := re.match(r"(.+?) +([\d.,]+) (ps|ns|µs|ms)/iter", line):
            found[group + row[1]] = float(row[2].replace(",", "")) * UNITS[row[3]]
        before = line
    return found


def of_python(text):
    return {name: float(ns) for name, ns in re.findall(r"^(.+?) +(\d+) ns$", text, re.MULTILINE)}


def table(found):
    """A row for each call, a column for each language. If a benchmark does not print a line any
    more, that is a KeyError."""
    yield "| | " + " | ".join(LANGUAGES) + " |"
    yield "|---|" + "--:|" * len(LANGUAGES)
    for call, names, per in CALLS:
        cells = [
            f"{found[language][names[language]] / per:,.0f}" if language in names else "–"
            for language in LANGUAGES
        ]
        yield f"| {call} | " + " | ".join(cells) + " |"


def run(command, folder, env=None):
    """What it prints; its progress goes to ours."""
    print("+", *command, file=sys.stderr)
    done = subprocess.run(
        command,
        cwd=ROOT / folder,
        env=os.environ | (env or {}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    cargo = [
        "cargo",
        "bench",
        "--locked",
        "--quiet",
        "--target-dir",
        str(ROOT / "build/bench/calls"),
    ]
    found = of_criterion(
        run(
            [*cargo, "--bench", "rust", "--bench", "c", "--", "--output-format", "bencher"],
            "benches/calls",
        )
    )
    go = ["go", "test", "-run", "^$", "-bench", ".", "-benchtime", "200ms", "-count", str(GO_COUNT)]
    runs = run([*go, "."], "bindings/go") + run([*go, "."], "benches/calls/go")
    found["Go"] = of_go(runs)
    found["Node"] = of_node(
        run(["npm", "run", "--silent", "bench"], "bindings/node", {"NO_COLOR": "1"})
    )
    found["Python"] = of_python(
        run([str(ROOT / "build/python/venv/bin/python"), "bench.py", "--calls"], "benches/python")
    )
    (OUT / "calls-go.txt").write_text(runs)
    (OUT / "calls.md").write_text(HEAD + "\n".join(table(found)) + "\n")


if __name__ == "__main__":
    main()
