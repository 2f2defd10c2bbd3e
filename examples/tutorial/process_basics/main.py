"""Starting a process does not wait for it; join does. The event only keeps the lines in order."""

import os
import sys
import time
from functools import partial

from polyproc import Event, Process

SECOND = int(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 1.0
print = partial(print, flush=True)


def child(go):
    go.wait()
    print(f"child {os.getpid()} of parent {os.getppid()}")
    time.sleep(SECOND)
    print(f"child {os.getpid()} ends")


if __name__ == "__main__":
    go = Event()
    print(f"parent {os.getpid()}")
    started = Process(target=child, args=(go,))
    started.start()
    print(f"parent {os.getpid()} has started child {started.pid}")
    go.set()
    started.join()
    print(f"child {started.pid} exited with {started.exitcode}")
