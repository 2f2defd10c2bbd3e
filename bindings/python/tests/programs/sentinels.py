"""Producers, consumers and end marks; timeouts; a joinable queue with daemons."""

import queue as standard
from multiprocessing import JoinableQueue, Process, Queue, SimpleQueue


def produce(queue, begin):
    for number in range(begin, begin + 10):
        queue.put(number)


def consume(queue, results):
    results.put(sum(iter(queue.get, None)))


def work(jobs, done):
    while True:
        job = jobs.get()
        done.put(job * 2)
        jobs.task_done()


if __name__ == "__main__":
    numbers, results = Queue(maxsize=5), Queue()
    consumers = [Process(target=consume, args=(numbers, results)) for _ in range(2)]
    producers = [Process(target=produce, args=(numbers, begin)) for begin in (0, 100)]
    for process in consumers + producers:
        process.start()
    for process in producers:
        process.join()
    for _ in consumers:
        numbers.put(None)
    for process in consumers:
        process.join()
    print(sum(results.get() for _ in consumers))
    print([process.exitcode for process in consumers + producers])

    for get in (numbers.get_nowait, lambda: numbers.get(timeout=0.01), lambda: numbers.get(False)):
        try:
            get()
        except standard.Empty as error:
            print("empty", type(error) is standard.Empty, error.args)
    for number in range(5):
        numbers.put(number)
    try:
        numbers.put(5, timeout=0.01)
    except standard.Full:
        print("full", numbers.full(), numbers.qsize())
    numbers.close()
    try:
        numbers.put(1)
    except ValueError as error:
        print("ValueError", str(error).split("<")[0], str(error).endswith("is closed"))
    numbers.cancel_join_thread()

    jobs, done = JoinableQueue(), SimpleQueue()
    for _ in range(3):
        Process(target=work, args=(jobs, done), daemon=True).start()
    for number in range(20):
        jobs.put(number)
    jobs.join()
    print(sorted(done.get() for _ in range(20)), done.empty())
    try:
        jobs.task_done()
    except ValueError as error:
        print("ValueError", error)
    print([hasattr(Queue(), name) for name in ("task_done", "join")])
