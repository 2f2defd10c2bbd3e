"""What `polyproc top` and the page cost a running 1x1 stream: `make bench-inspect`.

The stream runs all the time. Windows without a look alternate with windows in which `top` looks once
a second, as it does by default, or in which the page's data are fetched once a second, as the page
in a browser does. Each window with a look is compared with the mean of the windows before and after
it. Between its windows a command is stopped.
"""

import argparse
import os
import pty
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from statistics import median, quantiles

GOAL = 0.02


class Stream:
    """The producer and the consumer."""

    def __init__(self, program, name):
        self.process = subprocess.Popen(
            [program, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def look(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        got, at = self.process.stdout.readline().split()
        return int(got), int(at)

    def rate(self, seconds):
        """Messages a second in a window of this length."""
        got, at = self.look()
        time.sleep(seconds)
        got_then, then = self.look()
        return (got_then - got) / (then - at) * 1e9

    def end(self):
        self.process.stdin.close()
        self.process.wait()


class Looker:
    """A command that looks; it is stopped outside of its windows."""

    def __init__(self, process):
        self.process = process
        self.runs = threading.Event()
        self.go(False)

    def go(self, runs):
        (self.runs.set if runs else self.runs.clear)()
        self.process.send_signal(signal.SIGCONT if runs else signal.SIGSTOP)

    def seconds(self):
        """The processor time that it has used."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def top(polyproc):
    """`top` in a terminal that nobody looks at."""
    master, terminal = pty.openpty()
    process = subprocess.Popen([polyproc, "top"], stdin=terminal, stdout=terminal)
    os.close(terminal)

    def drain():
        try:
            while os.read(master, 65536):
                pass
        except OSError:
            pass  # It has ended.

    threading.Thread(target=drain, daemon=True).start()
    return Looker(process)


def page(polyproc):
    """The server of the page, and a browser's requests."""
    process = subprocess.Popen(
        [polyproc, "page", "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True
    )
    address = process.stderr.readline().strip()
    looker = Looker(process)

    def fetch():
        while True:
            looker.runs.wait()
            urllib.request.urlopen(f"{address}objects.json").read()
            time.sleep(1)

    threading.Thread(target=fetch, daemon=True).start()
    return looker


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--polyproc", required=True)
    parser.add_argument("--stream", required=True)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--window", type=float, default=2.0, help="seconds")
    options = parser.parse_args()
    stream = Stream(options.stream, f"bench-inspect-{os.getpid()}")
    lookers = {"top": top(options.polyproc), "page": page(options.polyproc)}
    ratios = {name: [] for name in lookers}
    time.sleep(1)
    begin = time.monotonic()
    before = stream.rate(options.window)
    calm = []
    for _ in range(options.rounds):
        for name, looker in lookers.items():
            looker.go(True)
            beside = stream.rate(options.window)
            looker.go(False)
            after = stream.rate(options.window)
            ratios[name].append(beside / ((before + after) / 2))
            calm.append(after / before)
            before = after
    elapsed = time.monotonic() - begin
    used = {name: looker.seconds() for name, looker in lookers.items()}
    for looker in lookers.values():
        looker.process.kill()
    stream.end()
    low, _, high = quantiles(calm, n=4)
    print(f"1x1, 64 bytes: {before / 1e6:.1f} M messages a second, {elapsed:.0f} s")
    print(f"two windows without a look differ by {low - 1:+.1%} to {high - 1:+.1%} (quartiles)")
    worst = 0
    for name, all_of_it in ratios.items():
        low, _, high = quantiles(all_of_it, n=4)
        cost = 1 - median(all_of_it)
        share = used[name] / (options.rounds * options.window)
        print(
            f"{name:<5} costs {cost:.1%} of the rate (median of {len(all_of_it)}, quartiles "
            f"{1 - high:.1%} to {1 - low:.1%}), and {share:.2%} of a core"
        )
        worst = max(worst, cost)
    sys.exit(f"more than {GOAL:.0%}" if worst > GOAL else 0)


main()
