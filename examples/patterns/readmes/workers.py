"""The pool of bindings/python/README.md. With an argument this is its worker."""

import sys

from polyproc.workers import WorkerPool, run_worker


def main():
    with WorkerPool(["./worker", "--fast"], workers=4) as pool:
        pool.apply("square", 3)
        print(pool.apply("square", 4))


def worker():
    # In the worker program, if it is one in Python:
    run_worker({"square": lambda number: number * number})


if __name__ == "__main__":
    worker() if sys.argv[1:] else main()
