"""Python's pools: tasks per second, one way of handing them over in each run.

peers.py PEER MODE TASKS WORKERS. Each result is checked. Prints one line of JSON.

multiprocessing  apply-async, map-1 (chunks of one), imap-unordered, apply (one after the other), map (in chunks)
futures          submit, apply, map
loky             submit, apply, map
"""

import json
import multiprocessing
import sys
import time


def add_one(number):
    return number + 1


def of_multiprocessing(workers):
    pool = multiprocessing.get_context("fork").Pool(workers)

    def apply_async(numbers):
        return [task.get() for task in [pool.apply_async(add_one, (number,)) for number in numbers]]

    def end():
        pool.close()
        pool.join()

    return end, {
        "apply-async": apply_async,
        "map-1": lambda numbers: pool.map(add_one, numbers, 1),
        "imap-unordered": lambda numbers: sorted(pool.imap_unordered(add_one, numbers)),
        "apply": lambda numbers: [pool.apply(add_one, (number,)) for number in numbers],
        "map": lambda numbers: pool.map(add_one, numbers),
    }


def of_executor(pool, workers):
    def submit(numbers):
        return [task.result() for task in [pool.submit(add_one, number) for number in numbers]]

    def in_chunks(numbers):
        # As many as multiprocessing's map makes.
        return list(pool.map(add_one, numbers, chunksize=-(-len(numbers) // (4 * workers))))

    return pool.shutdown, {
        "submit": submit,
        "apply": lambda numbers: [pool.submit(add_one, number).result() for number in numbers],
        "map": in_chunks,
    }


def ways_of(peer, workers):
    if peer == "multiprocessing":
        return of_multiprocessing(workers)
    if peer == "futures":
        from concurrent.futures import ProcessPoolExecutor

        context = multiprocessing.get_context("fork")
        return of_executor(ProcessPoolExecutor(workers, mp_context=context), workers)
    if peer == "loky":
        from loky import ProcessPoolExecutor

        return of_executor(ProcessPoolExecutor(workers), workers)
    sys.exit(f"no peer {peer}")


def main():
    peer, mode = sys.argv[1:3]
    tasks, workers = map(int, sys.argv[3:5])
    end, ways = ways_of(peer, workers)
    way = ways[mode]
    way(range(100))  # the workers are there
    begin = time.perf_counter()
    results = way(range(tasks))
    seconds = time.perf_counter() - begin
    assert results == list(range(1, tasks + 1)), "wrong results"
    end()
    print(json.dumps({"peer": peer, "mode": mode, "tasks": tasks, "rate": round(tasks / seconds)}))


if __name__ == "__main__":
    main()
