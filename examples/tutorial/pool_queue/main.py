"""A queue that main makes and the tasks of a pool are given: one writes into it, the other
reads."""

from functools import partial

from polyproc import Manager, Pool

print = partial(print, flush=True)


def writer(queue):
    for letter in "dongGe":
        print(f"writer puts {letter}")
        queue.put(letter)


def reader(queue):
    for _ in range(queue.qsize()):
        print(f"reader gets {queue.get()}")


if __name__ == "__main__":
    queue = Manager().Queue()
    pool = Pool()
    pool.apply(writer, (queue,))
    pool.apply(reader, (queue,))
    pool.close()
    pool.join()
