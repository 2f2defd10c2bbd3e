"""Measures each heuristic of waiting against the library without it: `make bench-pace`.

In each round every setting runs with each of its heuristics off, in a random order, and with all on
before and after each of these runs. A run without is compared with the mean of its two neighbours,
so a machine that becomes slower in the course of a round does not look like a heuristic.
"""

import argparse
import csv
import datetime
import math
import os
import random
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from statistics import median, quantiles

import heuristics
from machine import summary
from results import NEAR_NS, in_units
from runner import ROOT, end_all_of, limits, run_program

VARIABLE = "POLYPROC_PACE"
DISTANCES = ("near", "far")
ALL_OFF = "all of them"
RUN = """The figures are of one run: {date}, {rounds} rounds in {minutes:.0f} minutes, on {machine}.
Other programs took {busy:.0%} of the processors' time before or after it."""
BUSY = "\n**So the figures decide nothing: repeat the run on a quiet machine.**"
NO_RUN = "**This page was written without a run (`ROUNDS=0`), so it has no figures yet.**"
# The share of the processors' time that other programs may take.
MOST_BUSY = 0.15
# A heuristic stays if it earns this much in some setting.
LEAST = 0.05


def busy_share():
    """The share of the processors' time that other programs take, over two seconds."""

    def read():
        with open("/proc/stat") as file:
            ticks = [int(field) for field in file.readline().split()[1:]]
        return sum(ticks), ticks[3] + ticks[4]

    total, idle = read()
    time.sleep(2)
    total_then, idle_then = read()
    return 1 - (idle_then - idle) / (total_then - total)


class Hogs:
    """Processes that never sleep, for the time of a run."""

    def __init__(self, count):
        cores = sorted(os.sched_getaffinity(0))
        turn = ["sh", "-c", "while :; do :; done"]
        on_core = [["taskset", "-c", str(cores[i % len(cores)]), *turn] for i in range(count)]
        self.programs = [subprocess.Popen(hog, start_new_session=True) for hog in on_core]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for program in self.programs:
            end_all_of(program)


def run(setting, off):
    """The value of one run with what `off` says in the variable."""
    os.environ[VARIABLE] = off
    allowed = os.sched_getaffinity(0)
    with Hogs(setting.hogs):
        if setting.cores:
            os.sched_setaffinity(0, sorted(allowed)[: setting.cores])
        try:
            figures, why_not = run_program(setting.case.ways[0], setting.case)
        finally:
            os.sched_setaffinity(0, allowed)
    if figures is None:
        print(f"\n{setting.case.name} with {VARIABLE}={off}: {why_not}", file=sys.stderr)
    return figures and figures[setting.case.metric]


def goodness(setting, value):
    return value if setting.case.higher_is_better else 1 / value


def pairs_of_cores():
    """Two cores for each distance that the machine has."""
    first, *others = sorted(os.sched_getaffinity(0))
    found = {}
    allowed = os.sched_getaffinity(0)
    for other in others:
        os.sched_setaffinity(0, {first, other})
        found.setdefault("near" if limits("line")["line_ns"] < NEAR_NS else "far", {first, other})
        os.sched_setaffinity(0, allowed)
    return found.values()


class Figures:
    """The gain of each heuristic in each setting, at each distance."""

    def __init__(self):
        self.runs = defaultdict(list)  # (name, setting, distance) -> (with, without)

    def add(self, name, setting, distance, on, off):
        self.runs[name, setting, distance].append((on, off))

    def of(self, name, setting, distance):
        runs = self.runs.get((name, setting, distance))
        return Figure(setting, runs) if runs else None

    def rounds(self, distance):
        """How many rounds had such cores, which can differ from case to case."""
        counts = [len(runs) for (*_, where), runs in self.runs.items() if where == distance]
        least, most = min(counts), max(counts)
        return f"{least} to {most} rounds" if least < most else f"{most} round{'s' * (most > 1)}"

    def best(self, name, settings):
        """Where it earns most, with some certainty: the lower quartile decides."""
        places = [(setting, distance) for setting in settings for distance in DISTANCES]
        figures = [self.of(name, *place) for place in places]
        return max(filter(None, figures), key=lambda figure: figure.low, default=None)


class Figure:
    def __init__(self, setting, runs):
        self.setting = setting
        self.on, self.off = (median(values) for values in zip(*runs))
        ratios = [goodness(setting, on) / goodness(setting, off) - 1 for on, off in runs]
        self.earns, self.count = median(ratios), len(ratios)
        self.low = self.high = self.earns
        if len(ratios) > 1:
            self.low, _, self.high = quantiles(ratios, n=4, method="inclusive")

    def text(self):
        return f"{percent(self.earns)} ({percent(self.low)} to {percent(self.high)})"


def percent(earned):
    return f"{earned:+.0%}" if earned < 2 else f"{earned + 1:,.0f} x"


def one_round(setting, chosen, figures, rows):
    line_ns = limits("line")["line_ns"]
    distance = "near" if line_ns < NEAR_NS else "far"
    before = run(setting, "")
    for name in random.sample(chosen, len(chosen)):
        off = run(setting, "off" if name == ALL_OFF else f"off:{name}")
        after = run(setting, "")
        if before and off and after:
            on = math.sqrt(before * after)
            figures.add(name, setting, distance, on, off)
            rows.append([setting.case.name, name, distance, line_ns, on, off, setting.case.metric])
        before = after


def measure(chosen, rounds):
    figures, rows = Figures(), []
    settings = dict.fromkeys(setting for heuristic in chosen for setting in heuristic.settings)
    pairs = list(pairs_of_cores())
    all_cores, began = os.sched_getaffinity(0), time.monotonic()
    plan = [(cores, setting) for _ in range(rounds) for cores in pairs for setting in settings]
    for done, (cores, setting) in enumerate(plan):
        names = [heuristic.name for heuristic in chosen if setting in heuristic.settings]
        os.sched_setaffinity(0, cores)
        one_round(setting, [*names, ALL_OFF], figures, rows)
        os.sched_setaffinity(0, all_cores)
        if sys.stderr.isatty():
            left = (time.monotonic() - began) / (done + 1) * (len(plan) - done - 1)
            text = f"\r{done + 1}/{len(plan)} {setting.case.name}; {left:.0f} s left\033[K"
            print(text, end="", file=sys.stderr)
    return figures, rows, list(settings)


def numbers_text(names):
    values = heuristics.numbers()
    return ", ".join(f"{name} = {values[name]}" for name in names)


def main_rows(figures, chosen, is_busy):
    for heuristic in chosen:
        first = [heuristic.name, numbers_text(heuristic.numbers), heuristic.why]
        best = figures.best(heuristic.name, heuristic.settings)
        if not best:
            yield f"| {' | '.join([*first, *'-----', 'undecided'])} |"
            continue
        setting = best.setting
        cells = [in_units(best.on, setting.case), in_units(best.off, setting.case)]
        for distance in DISTANCES:
            figure = figures.of(heuristic.name, setting, distance)
            cells.append(figure.text() if figure else "-")
        is_open = is_busy or best.low < LEAST <= best.high
        stays = "undecided" if is_open else "yes" if best.low >= LEAST else "**no**"
        yield f"| {' | '.join([*first, setting.case.name, *cells, stays])} |"


def matrix(figures, chosen, settings, distance):
    """Rows of settings, columns of heuristics."""
    names = [*(heuristic.name for heuristic in chosen), ALL_OFF]
    rows = []
    for setting in settings:
        found = [figures.of(name, setting, distance) for name in names]
        if any(found):
            cells = [figure.text() if figure else "" for figure in found]
            rows.append(f"| {' | '.join([setting.case.name, *cells])} |")
    if rows:
        yield f"| {distance}, {figures.rounds(distance)} | " + " | ".join(names) + " |"
        yield "|---" * (len(names) + 1) + "|"
        yield from rows


def matrices(figures, chosen, settings):
    for distance in DISTANCES:
        lines = list(matrix(figures, chosen, settings, distance))
        if lines:
            yield "\n".join(lines)
        elif figures.runs:
            yield f"This machine had no {distance} cores during the run."


def page(figures, chosen, settings, rounds, took_s, busy):
    template = Path(__file__).with_name("tuning.md.in").read_text()
    is_busy = busy > MOST_BUSY
    date, minutes = datetime.date.today().isoformat(), took_s / 60
    run = RUN.format(date=date, rounds=rounds, minutes=minutes, machine=summary(), busy=busy)
    values = {
        "RUN": run + (BUSY if is_busy else "") if rounds else NO_RUN,
        "LEAST": f"{LEAST * 100:.0f}",
        "NEAR_NS": str(NEAR_NS),
        "HEURISTICS": "\n".join(main_rows(figures, chosen, is_busy)),
        "BINDINGS": "\n".join(f"| {' | '.join(row)} |" for row in heuristics.BINDINGS),
        "LIMITS": "\n".join(
            f"| {numbers_text(names)} | {bounds} |" for names, bounds in heuristics.LIMITS
        ),
        "ALL": "\n\n".join(matrices(figures, chosen, settings)),
    }
    for name, value in values.items():
        template = template.replace(f"@{name}@", value)
    return template.rstrip() + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="as in 'distance pressure'")
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    heuristics.check()
    only = args.only.split()
    chosen = [one for one in heuristics.HEURISTICS if not only or one.name in only]
    if not chosen:
        names = " ".join(heuristic.name for heuristic in heuristics.HEURISTICS)
        sys.exit(f"no heuristic {args.only}; there are {names}")
    busy, began = busy_share(), time.monotonic()
    figures, rows, settings = measure(chosen, args.rounds)
    took_s = time.monotonic() - began
    busy = max(busy, busy_share())
    out = ROOT / "build/bench/pace"
    out.mkdir(parents=True, exist_ok=True)
    with (out / "runs.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["case", "off", "distance", "line_ns", "with", "without", "metric"])
        writer.writerows(rows)
    text = page(figures, chosen, settings, args.rounds, took_s, busy)
    target = out / "tuning.md" if only else ROOT / "docs/book/tuning.md"
    target.write_text(text)
    print(text if only else f"written: {target}; every run is in {out}/runs.csv")


if __name__ == "__main__":
    main()
