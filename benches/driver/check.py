"""Writes the page from made-up figures: `make bench-check`. If a target names a case or a way that
does not run, or a place of the page stays empty, that is an error."""

import csv
import tempfile
from pathlib import Path

import document
import machine
import results
import targets
import ways as w
from cases import W1, cases

MEMBERS = "rate ns p50_ns p99_9_ns bytes per_mille noticed_ns largest_share line_ns"
LIMITS = (
    "line_ns cas_ns contended_add_ns syscall_ns wake_nobody_ns pause_ns clock_ns memcpy_64kib_gb "
    "memcpy_1mib_gb memcpy_64mib_gb read_64kib_gb read_1mib_gb"
)


def full_table():
    table, figures = results.Table(), dict.fromkeys(MEMBERS.split(), 1.0)
    table.limits.append(dict.fromkeys(LIMITS.split(), 1.0))
    for case in cases():
        for repetition in range(case.runs or 1):
            for way in case.ways:
                for line_ns in (1, 2 * results.NEAR_NS):
                    table.add(case, way, repetition, line_ns, line_ns, figures, None)
    return table


class Strict(targets.Reader):
    """Fails where a figure is asked for that no case gives."""

    def of(self, case, way):
        summary = super().of(case, way)
        assert summary, f"no figures of {way} in {case}"
        return summary

    def best(self, case, *kinds):
        summary = super().best(case, *kinds)
        assert summary, f"no peer that {kinds} in {case}"
        return summary

    def best_of(self, case, ways):
        summary = super().best_of(case, ways)
        assert summary, f"no peer in {case}"
        return summary


def check_columns_are_there_once(table):
    """The figures of a program may have a member that is a column of each run."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.csv"
        results.write_csv(table, path)
        with path.open(newline="") as file:
            columns = next(csv.reader(file))
    assert len(set(columns)) == len(columns), columns


def check_like_is_compared_with_like(table):
    """A peer that polls and passes messages in place was compared with put/get, which copies."""
    case = next(case for case in table.cases() if case.name == W1[65536])
    summaries = table.summaries(case, "near")
    for peer, ours in ((w.ICEORYX_LOAN_POLLS, w.LOAN), (w.ICEORYX_POLLS, w.COPY), (w.ICEORYX_TAKE, w.TAKE)):
        assert document.like(peer, case, summaries).way == ours, peer


def main():
    table = full_table()
    check_columns_are_there_once(table)
    check_like_is_compared_with_like(table)
    for distance in results.DISTANCES:
        for part in targets.PARTS:
            assert all(part(Strict(table, distance))), f"{part.__name__} has a line without figures"
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        machine.write(table, out / "machines")
        document.write(table, out / "page.md", out / "machines", 1, 1, "")
        page = (out / "page.md").read_text()
    assert "{{" not in page, page
    for distance in results.DISTANCES:
        for line in targets.lines(table, distance):
            # In the table of goals, for both distances if the line has one, and in that of the kinds.
            rows = 2 if line.any_cores else 3
            assert page.count(f"| {line.name} |") == rows, f"{line.name} is missing on the page"


main()
