"""The plots of docs/book/performance.md, as SVG."""

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "polyproc", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False})

import matplotlib.pyplot as plt

import ways as w
from cases import W1, W2, W3

PERCENTILES = {"p50_ns": "50", "p90_ns": "90", "p99_ns": "99", "p99_9_ns": "99.9", "p99_99_ns": "99.99"}
LATENCY = (w.COPY, w.ASLEEP, w.CLOUDTOID_POLLS, w.CLOUDTOID, w.ICEORYX_POLLS, w.ICEORYX, w.BOOST, w.PIPE, w.ZEROMQ, w.PY_QUEUE, w.SPSC)
BY_SIZE = (w.COPY, w.TAKE, w.LOAN, w.CLOUDTOID, w.ICEORYX, w.ICEORYX_TAKE, w.ICEORYX_LOAN, w.BOOST, w.ZEROMQ, w.SOCKETPAIR, w.PIPE, w.IPC_CHANNEL)
BY_PROCESSES = (w.COPY, w.CLOUDTOID, w.BOOST, w.ZEROMQ, w.MQ, w.PIPE, w.NNG, w.PY_QUEUE, w.CROSSBEAM)


def draw(path, title, xlabel, ylabel, curves, ticks=None, log_x=False):
    """curves: (way, xs, ys); polyproc's are emphasised."""
    figure, axes = plt.subplots(figsize=(8, 4.6))
    colours = iter(plt.get_cmap("tab20").colors)
    for way, xs, ys in curves:
        style = {"color": "black", "linewidth": 2.2} if way.label == "polyproc" else {"color": next(colours), "linewidth": 1.2}
        dashed = "--" if way.kind == w.REFERENCE else "-"
        axes.plot(xs, ys, dashed, marker="o", markersize=3, label=way.label, **style)
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel, yscale="log")
    if log_x:
        axes.set_xscale("log", base=2)
    if ticks:
        axes.set_xticks(*ticks)
        axes.minorticks_off()
    axes.grid(True, which="major", linewidth=0.3)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)


def distance_of(table, names):
    """Returns the distance at which most runs of these cases were."""
    runs = [run.distance for run in table.runs if run.case.name in names]
    return max(("near", "far"), key=runs.count) if runs else None


def series(table, names, ways, distance):
    """For each way, its medians over the cases that have it."""
    summaries = {
        (case.name, s.way): s for case in table.cases() if case.name in names for s in table.summaries(case, distance)
    }
    for way in ways:
        points = [(x, summaries[name, way].median) for name, x in names.items() if (name, way) in summaries]
        if points:
            yield way, *zip(*points)


def latency(table, out):
    distance = distance_of(table, [W2])
    case = next((case for case in table.cases() if case.name == W2), None)
    if not case:
        return
    summaries = {s.way: s for s in table.summaries(case, distance)}
    positions = range(len(PERCENTILES))
    curves = [
        (way, positions, [summaries[way].extra(name) / 1000 for name in PERCENTILES]) for way in LATENCY if way in summaries
    ]
    title = f"Round trip of 64 B over two queues, {distance} cores"
    draw(out / "latency.svg", title, "percentile", "us", curves, (positions, list(PERCENTILES.values())))


def by_size(table, out):
    names = {name: size for size, name in W1.items()}
    distance = distance_of(table, names)
    curves = list(series(table, names, BY_SIZE, distance)) if distance else []
    if curves:
        ticks = (list(W1), ["8 B", "64 B", "1 KiB", "64 KiB", "1 MiB"])
        title = f"One producer, one consumer, {distance} cores"
        draw(out / "size.svg", title, "size of a message", "messages/s", curves, ticks, log_x=True)


def by_processes(table, out):
    names = {W1[64]: 0} | {name: i + 1 for i, name in enumerate(W3.values())}
    distance = distance_of(table, list(W3.values()))
    curves = list(series(table, names, BY_PROCESSES, distance)) if distance else []
    if curves:
        ticks = (list(names.values()), ["1x1", *(f"{n}x{n}" for n in W3)])
        title = f"64 B, producers x consumers at one queue, {distance} cores"
        draw(out / "processes.svg", title, "processes", "messages/s", curves, ticks)


def write(table, out):
    latency(table, out)
    by_size(table, out)
    by_processes(table, out)
