"""W6: polyproc's pool beside Python's, concurrent.futures and loky, in one run.

run.py PROGRAM [--tasks 100000] [--workers 2] [--repeat 5]. PROGRAM is polyproc's. Peers and
polyproc take turns. The table has minimum, median and maximum of each, and polyproc's targets as
ratios of medians.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

PEERS = pathlib.Path(__file__).with_name("peers.py")
# The rows, and the share of the tasks that each runs (some ways are slow, some very fast).
GROUPS = [
    (
        "one task per message",
        10,
        [
            ("polyproc", "submit", 1),
            ("polyproc", "tagged", 1),
            ("multiprocessing", "apply-async", 1),
            ("multiprocessing", "map-1", 1),
            ("multiprocessing", "imap-unordered", 1),
            ("futures", "submit", 0.2),
            ("loky", "submit", 0.2),
        ],
    ),
    (
        "one after the other",
        4,
        [
            ("polyproc", "apply", 1),
            ("multiprocessing", "apply", 0.1),
            ("futures", "apply", 0.1),
            ("loky", "apply", 0.1),
        ],
    ),
    (
        "in chunks",
        2,
        [
            ("polyproc", "map", 20),
            ("multiprocessing", "map", 20),
            ("futures", "map", 20),
            ("loky", "map", 20),
        ],
    ),
]


def measure(program, peer, mode, tasks, workers):
    head = [program] if peer == "polyproc" else [sys.executable, PEERS, peer]
    command = [*head, mode, str(tasks), str(workers)]
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=600, check=True)
    return json.loads(done.stdout)["rate"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    missed = False
    sys.stdout.reconfigure(line_buffering=True)
    for title, factor, rows in GROUPS:
        rates = {row: [] for row in rows}
        for _ in range(options.repeat):
            for peer, mode, share in rows:
                tasks = int(options.tasks * share)
                rate = measure(options.program, peer, mode, tasks, options.workers)
                rates[peer, mode, share].append(rate)
        print(f"\n{title}, {options.workers} workers, tasks/s: minimum, median, maximum")
        for (peer, mode, _), got in rates.items():
            figures = (min(got), statistics.median(got), max(got))
            print(f"  {peer:16} {mode:15}" + "".join(f"{figure:14,.0f}" for figure in figures))
        medians = {row: statistics.median(got) for row, got in rates.items()}
        ours = max(rate for (peer, *_), rate in medians.items() if peer == "polyproc")
        best = max(rate for (peer, *_), rate in medians.items() if peer != "polyproc")
        verdict = "reached" if ours >= factor * best else "MISSED"
        missed = missed or ours < factor * best
        print(f"  {ours / best:.1f} x the best of the others; asked for: {factor} x: {verdict}")
    sys.exit(missed)


if __name__ == "__main__":
    main()
