"""A pool and its workers, as pool.c is: what they do is said there.

pool.py main WORKER [ARGUMENT...]
pool.py worker
"""

import sys

from polyproc.workers import TaskFailed, WorkerPool, run_worker

TASKS = 300
LONGEST = 200_000
ROUND = bytes(range(256))


def reverse(data):
    return data[::-1]


def fail(data):
    raise RuntimeError(f"failed: {data.decode()}")


def data_of(number):
    """Task n has the bytes n, n + 1, ...; its length grows from task to task, from 0 to LONGEST."""
    length = number * number * LONGEST // (TASKS * TASKS)
    return (ROUND[number % 256 :] + ROUND * (length // 256 + 1))[:length]


def pool_of(command):
    with WorkerPool(command, 2, format="bytes") as pool:
        tasks = [pool.submit("reverse", data_of(number)) for number in range(TASKS)]
        for number, task in enumerate(tasks):
            assert task.get() == data_of(number)[::-1], f"a wrong result of task {number}"
        check_failures(pool)
        pool.shutdown()
        assert pool.join()
    print("ok")


def check_failures(pool):
    try:
        pool.apply("fail", b"because")
        raise AssertionError("a failure that was none")
    except TaskFailed as failure:
        # After a NUL there may be a stack.
        assert str(failure).split("\0")[0] == "failed: because", failure
    try:
        pool.apply("nothing", b"")
        raise AssertionError("a function that is not there was found")
    except LookupError:
        pass


if __name__ == "__main__":
    if sys.argv[1:] == ["worker"]:
        run_worker({"reverse": reverse, "fail": fail}, format="bytes")
    elif sys.argv[1:2] == ["main"] and len(sys.argv) > 2:
        pool_of(sys.argv[2:])
    else:
        sys.exit("usage: pool.py worker | pool.py main WORKER [ARGUMENT...]")
