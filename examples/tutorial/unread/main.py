"""Messages that nobody gets hold up no process's exit: they are in shared memory, not in the
producer."""

from functools import partial

from polyproc import Process, Queue

print = partial(print, flush=True)


MESSAGES = 10


def producer(queue):
    for number in range(MESSAGES):
        queue.put(number)
    print(f"producer put {MESSAGES} messages")


if __name__ == "__main__":
    queue = Queue()
    p = Process(target=producer, args=(queue,))
    p.start()
    p.join()
    print(f"producer exited with {p.exitcode}")
    print(f"main ends, {queue.qsize()} messages are unread")
