"""concurrent.futures with processes."""

import os
from concurrent.futures import TimeoutError, as_completed, wait
from concurrent.futures.process import ProcessPoolExecutor

name = None


def start(value):
    global name
    name = value


def work(number):
    if number == 7:
        raise ZeroDivisionError("seven")
    return name, number


def sleep():
    import time

    time.sleep(0.5)


if __name__ == "__main__":
    with ProcessPoolExecutor(max_workers=2, initializer=start, initargs=("shared",)) as executor:
        futures = {executor.submit(work, number): number for number in range(10)}
        for future in sorted(as_completed(futures), key=futures.get):
            error = future.exception()
            print(futures[future], repr(error) if error else future.result())
        print(
            list(executor.map(work, range(5), chunksize=2)), list(executor.map(pow, [2, 3], [3, 2]))
        )
        squares = executor.map(work, range(5, 10))
        try:
            for result in squares:
                print(result)
        except ZeroDivisionError as error:
            print("failed", error, type(error.__cause__).__name__)
        done, not_done = wait([executor.submit(work, 1), executor.submit(work, 2)])
        print(len(done), len(not_done), executor.submit(os.getpid).result() != os.getpid())
        try:
            executor.submit(sleep).result(timeout=0.01)
        except TimeoutError:
            print("TimeoutError")
        try:
            executor.submit(lambda: 1).result()
        except Exception as error:
            print(type(error).__name__)
        called = []
        executor.submit(work, 3).add_done_callback(lambda future: called.append(future.result()))
    print(called)
    try:
        executor.submit(work, 1)
    except RuntimeError as error:
        print("RuntimeError", error)
