"""The producer tells its consumer that it has finished, with a message that cannot be a bun:
None."""

import sys
import time
from functools import partial

from polyproc import Process, Queue

SECOND = int(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 1.0
print = partial(print, flush=True)


BUNS = 10


def producer(queue):
    for number in range(BUNS):
        print(f"producer puts 包子 {number}")
        queue.put(f"包子 {number}")
        time.sleep(0.1 * SECOND)
    print("producer puts the end mark")
    queue.put(None)


def consumer(queue):
    while True:
        bun = queue.get()
        if bun is None:
            break
        print(f"consumer gets {bun}")
    print("consumer gets the end mark")


if __name__ == "__main__":
    queue = Queue()
    p = Process(target=producer, args=(queue,))
    c = Process(target=consumer, args=(queue,))
    p.start()
    c.start()
    p.join()
    c.join()
    print(f"producer exited with {p.exitcode}")
    print(f"consumer exited with {c.exitcode}")
