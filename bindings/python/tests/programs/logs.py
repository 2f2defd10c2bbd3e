"""Log records of several processes through a queue."""

import logging
import logging.handlers
from multiprocessing import Process, Queue, get_logger


def work(queue, number):
    root = logging.getLogger()
    root.handlers[:] = [logging.handlers.QueueHandler(queue)]
    root.setLevel(logging.INFO)
    for count in range(3):
        logging.getLogger(f"worker.{number}").info("message %d of %d", count, number)
    try:
        {}["key"]
    except KeyError:
        logging.exception("failed")


class Collect(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(f"{record.name} {record.levelname} {record.getMessage()}".split("\n")[0])


if __name__ == "__main__":
    queue, collect = Queue(), Collect()
    listener = logging.handlers.QueueListener(queue, collect)
    listener.start()
    workers = [Process(target=work, args=(queue, number)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    listener.stop()
    print(*sorted(collect.lines), sep="\n")
    print([worker.exitcode for worker in workers], get_logger().name)
