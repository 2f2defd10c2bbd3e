"""Functions that several tests use."""

import io
import os
import signal
import time
from contextlib import contextmanager, redirect_stderr

import polyproc

#: Far longer than anything takes on a busy machine: what exceeds it hangs.
DEADLINE = 60


def kill(process):
    """Kill a process, and wait for its end."""
    os.kill(process.pid, signal.SIGKILL)
    process.join(DEADLINE)
    assert process.exitcode == -signal.SIGKILL


def until(condition, what="the condition"):
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"{what}: not in time"
        time.sleep(0.005)


@contextmanager
def child(target, *args, daemon=True):
    process = polyproc.Process(target=target, args=args, daemon=daemon)
    process.start()
    try:
        yield process
    finally:
        # It may end by itself at this moment.
        process.kill()
        process.join()


def sleep_for_ever():
    time.sleep(3600)


def captured_stderr():
    return redirect_stderr(io.StringIO())
