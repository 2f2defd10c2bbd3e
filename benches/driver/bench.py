"""Runs polyproc and its peers side by side: `make bench`.

Every repetition runs all cases, and each case all its ways in a random order, so that a
disturbance of the machine affects all alike. Between the runs it measures the time of a cache line
between the two cores: on virtual cores it changes, and only runs of a kind are compared.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import document
import machine
import plots
import results
from cases import cases
from runner import ROOT, SCRIPTS, command_of, limits, run_program


def pools():
    """W6 has a driver of its own."""
    program, driver = ROOT / "build/bench/pool/polyproc", SCRIPTS / "pool/run.py"
    python = ROOT / "build/bench/pool/venv/bin/python"
    if not program.exists() or not python.exists():
        return "Skipped: not built."
    command = [python, driver, program, "--tasks", "30000", "--repeat", "3"]
    # The exit status says whether all targets were met; the output has the figures.
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return done.stdout.strip() or f"Failed: {done.stderr.strip().splitlines()[-1:]}"


def wanted(case, only):
    return not only or case.group in only or case.name in only


def measure(plan, repeat, table):
    runs = sum(len(case.order(n, repeat)) for case in plan for n in range(repeat))
    done, began = 0, time.monotonic()
    for repetition in range(repeat):
        table.limits.append(limits())
        line_ns = limits("line")["line_ns"]
        for case in plan:
            for way in case.order(repetition, repeat):
                done += 1
                if not table.is_skipped(case, way):
                    before, (figures, why_not) = line_ns, run_program(way, case)
                    line_ns = limits("line")["line_ns"]
                    table.add(case, way, repetition, before, line_ns, figures, why_not)
                if not sys.stderr.isatty():
                    continue
                left = (time.monotonic() - began) / done * (runs - done)
                print(f"\r{done}/{runs} {case.name}: {way.label}; {left:.0f} s left\033[K", end="", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="workloads, as in 'W1 W4'; all if empty")
    parser.add_argument("--repeat", type=int, default=5)
    args = parser.parse_args()
    only = args.only.split()
    plan = [case for case in cases() if wanted(case, only)]
    if not plan and "W6" not in only:
        sys.exit(f"no workload {args.only}; there are " + " ".join(sorted({case.group for case in cases()} | {"W6"})))
    out = ROOT / ("build/bench/partial" if only else "docs/book/performance")
    table = results.Table()
    for case in plan:
        for way in case.ways:
            if not Path(command_of(way)[-1]).exists():
                table.skip(case, way, "not built")
    began = time.monotonic()
    measure(plan, args.repeat, table)
    pool = pools() if not only or "W6" in only else "Not in this run."
    results.write(table, out)
    plots.write(table, out)
    machine.write(table, out / "machines")
    page = out / "performance.md" if only else ROOT / "docs/book/performance.md"
    document.write(table, page, out / "machines", args.repeat, time.monotonic() - began, pool)
    print(pool if only == ["W6"] else (out / "figures.md").read_text() if only else f"written: {page}, {out}")


if __name__ == "__main__":
    main()
