"""The writer is gone before the reader starts: its messages stay. As empty is exact and nobody else
puts, the reader can get while the queue is not empty."""

from functools import partial

from polyproc import Process, Queue

print = partial(print, flush=True)


def writer(queue):
    for letter in ["A", "B", "C"]:
        print(f"writer puts {letter}")
        queue.put(letter)


def reader(queue):
    while not queue.empty():
        print(f"reader gets {queue.get()}")


if __name__ == "__main__":
    queue = Queue()
    w = Process(target=writer, args=(queue,))
    w.start()
    w.join()
    print(f"writer exited with {w.exitcode}")
    r = Process(target=reader, args=(queue,))
    r.start()
    r.join()
    print(f"reader exited with {r.exitcode}")
