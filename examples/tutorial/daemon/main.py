"""A daemonic child ends with its parent, in whatever way that ends, and may not have children of
its own."""

import sys
import time
from functools import partial

from polyproc import Event, Process

SECOND = int(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 1.0
print = partial(print, flush=True)


def daemon(has_spoken):
    try:
        Process(target=time.sleep, args=(0,)).start()
    except AssertionError:
        # The other languages return E_DAEMONIC.
        print("daemon may not have children: E_DAEMONIC")
    print("daemon sleeps for 3 s")
    has_spoken.set()
    time.sleep(3 * SECOND)
    print("daemon woke up")


if __name__ == "__main__":
    has_spoken = Event()
    Process(target=daemon, args=(has_spoken,), daemon=True).start()
    has_spoken.wait()
    print("main ends")
