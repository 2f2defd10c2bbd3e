"""Five processes print two lines each. Without a lock the lines of different processes mix, with
it they are pairs."""

import sys
import time
from functools import partial

from polyproc import Lock, Process

SECOND = int(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 1.0
print = partial(print, flush=True)


def work(number):
    print(f"process {number} is running")
    time.sleep(0.2 * SECOND)
    print(f"process {number} is done")


def work_locked(number, lock):
    with lock:
        work(number)


def run_all(processes):
    for process in processes:
        process.start()
    for process in processes:
        process.join()


if __name__ == "__main__":
    print("without the lock")
    run_all([Process(target=work, args=(number,)) for number in range(5)])
    print("with the lock")
    lock = Lock()
    run_all([Process(target=work_locked, args=(number, lock)) for number in range(5)])
