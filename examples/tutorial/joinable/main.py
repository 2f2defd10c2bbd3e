"""Producers that wait until their buns have been eaten: task_done settles a message, join waits
for all of them. The consumers wait for ever: they are daemonic and end with main."""

from functools import partial

from polyproc import JoinableQueue, Process

print = partial(print, flush=True)


BUNS = 10


def producer(queue, number):
    for bun in range(BUNS):
        queue.put(f"包子 {number}.{bun}")
    print(f"producer {number}: 生产结束")
    queue.join()
    print(f"producer {number}: 生产结束~~~~~~")


def consumer(queue, number):
    while True:
        bun = queue.get()
        print(f"consumer {number} gets {bun}")
        queue.task_done()


if __name__ == "__main__":
    queue = JoinableQueue()
    for number in range(2):
        Process(target=consumer, args=(queue, number), daemon=True).start()
    producers = [Process(target=producer, args=(queue, number)) for number in range(3)]
    for process in producers:
        process.start()
    for process in producers:
        process.join()
    print("main ends")
