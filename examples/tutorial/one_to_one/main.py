"""One producer, one consumer, and a queue."""

from functools import partial

from polyproc import Process, Queue

print = partial(print, flush=True)


def producer(queue):
    print("producer puts 1")
    queue.put(1)


def consumer(queue):
    print(f"consumer gets {queue.get()}")


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
