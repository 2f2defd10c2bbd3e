"""A worker that may be killed at any moment: gives each task back to its sender, as MessagePack.

    tasks.py TASKS RESULTS

A task is any value; its result is the list ["python", task]. Ends when TASKS is shut down.
"""

import sys

from polyproc import Queue, ShutDown


def work(tasks, results):
    while True:
        try:
            message = tasks.take()
        except ShutDown:
            return
        with message:
            results.put(["python", message.value])


if __name__ == "__main__":
    work(Queue.open(sys.argv[1]), Queue.open(sys.argv[2]))
