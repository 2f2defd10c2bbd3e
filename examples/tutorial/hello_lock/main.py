"""A hundred processes share one output. Each writes its line in two pieces, and the lock keeps them
together."""

from functools import partial

from polyproc import Lock, Process

print = partial(print, flush=True)


def hello(lock, number):
    with lock:
        print("hello from ", end="")
        print(f"process {number}")


if __name__ == "__main__":
    lock = Lock()
    processes = [Process(target=hello, args=(lock, number)) for number in range(100)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
