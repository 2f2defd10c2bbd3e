"""Three producers, two consumers, and two ways to tell the consumers that it is over: an end mark
for each, which needs counting, and shutdown, which does not."""

import sys
import time
from functools import partial

from polyproc import Process, Queue, ShutDown

SECOND = int(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 1.0
print = partial(print, flush=True)


PRODUCERS = range(3)
CONSUMERS = range(2)
BUNS = 4


def producer(queue, number):
    for bun in range(BUNS):
        print(f"producer {number} puts 包子 {number}.{bun}")
        queue.put(f"包子 {number}.{bun}")
        time.sleep(0.1 * SECOND)


def consumer(queue, number):
    while True:
        try:
            bun = queue.get()
        except ShutDown:
            print(f"consumer {number} sees the shutdown")
            break
        if bun is None:
            print(f"consumer {number} gets an end mark")
            break
        print(f"consumer {number} gets {bun}")


def produce_and_consume(end):
    queue = Queue()
    consumers = [Process(target=consumer, args=(queue, number)) for number in CONSUMERS]
    producers = [Process(target=producer, args=(queue, number)) for number in PRODUCERS]
    for process in consumers + producers:
        process.start()
    for process in producers:
        process.join()
    end(queue)
    for process in consumers:
        process.join()
    if all(process.exitcode == 0 for process in consumers + producers):
        print("all exited with 0")


def with_end_marks(queue):
    for _ in CONSUMERS:
        print("main puts an end mark")
        queue.put(None)


def with_shutdown(queue):
    print("main shuts the queue down")
    queue.shutdown()


if __name__ == "__main__":
    print("with an end mark for each consumer")
    produce_and_consume(with_end_marks)
    print("with shutdown")
    produce_and_consume(with_shutdown)
