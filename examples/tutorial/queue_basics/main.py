"""A queue of at most three items: what each call does while it is empty, while it is full, and in
between. A message is there for every process when its put has returned, so empty, full and qsize
are exact."""

import sys
from functools import partial
from queue import Empty, Full

from polyproc import Queue

SECOND = int(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 1.0
print = partial(print, flush=True)


def yes_or_no(value):
    return "yes" if value else "no"


if __name__ == "__main__":
    queue = Queue(3)
    print(f"full: {yes_or_no(queue.full())}")
    print(f"empty: {yes_or_no(queue.empty())}")
    for message in [1, 2, 3]:
        queue.put(message)
        print(f"put {message}")
        if message == 1:
            print(f"empty: {yes_or_no(queue.empty())}")
    print(f"full: {yes_or_no(queue.full())}")

    try:
        queue.put(4, timeout=2 * SECOND)
    except Full:
        print("put 4, waiting 2 s: full")
    try:
        queue.put_nowait(4)
    except Full:
        print("put 4 at once: full")
    print(f"length: {queue.qsize()}")

    for _ in range(3):
        print(f"got {queue.get()}")
    try:
        queue.get(timeout=2 * SECOND)
    except Empty:
        print("get, waiting 2 s: empty")
    try:
        queue.get_nowait()
    except Empty:
        print("get at once: empty")
    print(f"empty: {yes_or_no(queue.empty())}")
