"""The figures of all runs: collects them, and writes them as CSV and as tables."""

import csv
from dataclasses import dataclass
from statistics import median

# A cache line that crosses in less time is between hyper-threads of one core.
NEAR_NS = 110
DISTANCES = ("near", "far")
ANY = "any"  # of a case whose figures do not depend on the distance: all its runs are compared


def distances(case):
    return (ANY,) if case.any_cores else DISTANCES


@dataclass
class Run:
    case: object
    way: object
    repetition: int
    line_ns: float  # before it, and after it
    line_after_ns: float
    figures: dict

    @property
    def value(self):
        return self.figures[self.case.metric]

    @property
    def distance(self):
        """Near or far, or changed: such a run is compared with no other."""
        near = self.line_ns < NEAR_NS, self.line_after_ns < NEAR_NS
        return "near" if all(near) else "changed" if any(near) else "far"


@dataclass
class Failure:
    case: object
    way: object
    why: str


@dataclass
class Summary:
    """One way in one case: its runs at one distance."""

    case: object
    way: object
    distance: str
    runs: list

    @property
    def values(self):
        return [run.value for run in self.runs]

    @property
    def median(self):
        return median(self.values)

    def extra(self, member):
        """Returns the median of another member of the figures, None if it was not printed."""
        values = [run.figures[member] for run in self.runs if member in run.figures]
        return median(values) if values else None

    def short(self):
        return in_units(self.median, self.case)

    def text(self):
        return " / ".join(in_units(value, self.case) for value in (min(self.values), self.median, max(self.values)))


class Table:
    def __init__(self):
        self.runs, self.limits, self.skipped, self.failures = [], [], {}, []

    def skip(self, case, way, why):
        self.skipped[case.name, way.label] = why

    def is_skipped(self, case, way):
        return (case.name, way.label) in self.skipped

    def add(self, case, way, repetition, line_ns, line_after_ns, figures, why_not):
        if figures is None:
            # One failure may be chance; after two the way is skipped.
            if (case, way) in ((failure.case, failure.way) for failure in self.failures):
                self.skip(case, way, why_not)
            self.failures.append(Failure(case, way, why_not))
        else:
            self.runs.append(Run(case, way, repetition, line_ns, line_after_ns, figures))

    def cases(self):
        return list(dict.fromkeys(run.case for run in self.runs))

    def summaries(self, case, distance):
        """Best first."""
        found = []
        distance = ANY if case.any_cores else distance
        of_case = [run for run in self.runs if run.case == case and distance in (ANY, run.distance)]
        for way in case.ways:
            runs = [run for run in of_case if run.way == way]
            if runs:
                found.append(Summary(case, way, distance, runs))
        return sorted(found, key=lambda summary: summary.median, reverse=case.higher_is_better)


def in_units(value, case):
    if case.metric == "bytes":
        return bytes_in_units(value)
    if case.metric == "per_mille":
        return f"{value / 10:.3g} % of a core"
    if case.metric == "rate":
        for unit, name in ((1e6, "M/s"), (1e3, "k/s")):
            if value >= unit:
                return f"{value / unit:.3g} {name}"
        return f"{value:.3g} /s"
    for unit, name in ((1e6, "ms"), (1e3, "us")):
        if value >= unit:
            return f"{value / unit:.3g} {name}"
    return f"{value:.3g} ns"


def bytes_in_units(value):
    return f"{value / 1024:.0f} KiB" if value < 1 << 20 else f"{value / (1 << 20):.1f} MiB"


def rows(table):
    """Yields each with its factor: how many times as good polyproc's plain way is at the same
    distance."""
    for case in table.cases():
        for distance in distances(case):
            summaries = table.summaries(case, distance)
            ours = next((s for s in summaries if s.way == case.ways[0]), None)
            for s in summaries:
                factor = None
                if ours:
                    factor = ours.median / s.median if case.higher_is_better else s.median / ours.median
                yield s, factor


def skipped(table):
    """Lists the ways that are not in the table, and the runs that failed."""
    lines = [f"{case}: {label} was skipped: {why}" for (case, label), why in table.skipped.items()]
    lines += [f"{f.case.name}: a run of {f.way.label} failed: {f.why}" for f in table.failures]
    return sorted(set(lines)) or ["Nothing was skipped, no run failed."]


def write_csv(table, path):
    columns = ["case", "way", "kind", "repetition", "line_ns", "line_after_ns", "distance"]
    columns += ["value", "metric"]
    extra = sorted({name for run in table.runs for name in run.figures} - {"peer", "mode", "workload", *columns})
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns + extra)
        for run in table.runs:
            fixed = [run.case.name, run.way.label, run.way.kind, run.repetition]
            fixed += [run.line_ns, run.line_after_ns, run.distance]
            writer.writerow([*fixed, run.value, run.case.metric, *(run.figures.get(name, "") for name in extra)])


def write(table, out):
    """Writes runs.csv, and figures.md with a table for each case and distance."""
    out.mkdir(parents=True, exist_ok=True)
    write_csv(table, out / "runs.csv")
    lines, last = ["# All figures", "", "Minimum / median / maximum of the runs. Written by `make bench`."], None
    for s, factor in rows(table):
        if (s.case, s.distance) != last:
            lines += ["", f"## {s.case.name}, {s.distance} cores", "", "| | figures | runs | kind | polyproc beside it |"]
            lines += ["|---|---|---|---|---|"]
        last = s.case, s.distance
        beside = f"{factor:.2f} x" if factor and not s.way.ours else ""
        name = f"**{s.way.label}**" if s.way.ours else s.way.label
        if room := s.extra("capacity"):
            name += f", room for {room:,.0f}"
        lines.append(f"| {name} | {s.text()} | {len(s.runs)} | {s.way.kind} | {beside} |")
    lines += ["", "## Skipped and failed", "", *(f"- {line}" for line in skipped(table)), ""]
    (out / "figures.md").write_text("\n".join(lines))
