"""The worker program of test_workers.py."""

import os
import signal
import sys
import time

from polyproc.workers import run_worker


def fail(text):
    raise KeyError(text)


def die(_):
    os.kill(os.getpid(), signal.SIGKILL)


def die_the_first_time(mark):
    if not os.path.exists(mark):
        with open(mark, "w"):
            pass
        os.kill(os.getpid(), signal.SIGKILL)
    return "survived"


FUNCTIONS = {
    "square": lambda number: number * number,
    "echo": lambda value: value,
    "fail": fail,
    "no_message": lambda _: (_ for _ in ()).throw(ValueError()),
    "no_msgpack": lambda _: object(),
    "die": die,
    "die_the_first_time": die_the_first_time,
    "pid": lambda _: os.getpid(),
    "sleep": time.sleep,
}

if __name__ == "__main__":
    run_worker(FUNCTIONS, format=sys.argv[1] if len(sys.argv) > 1 else "msgpack")
