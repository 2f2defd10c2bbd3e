"""The programs of bindings/python/README.md."""

from polyproc import Process, Queue  # was: from multiprocessing import Process, Queue


def child(queue):
    queue.put("hello")


if __name__ == "__main__":
    queue = Queue()
    process = Process(target=child, args=(queue,))
    process.start()
    print(queue.get())
    process.join()

    from polyproc import Queue

    with_name = Queue(name="book.jobs", create=True, exist_ok=True, joinable=True, format="msgpack")
    with_name.put(["hello", 88, b"World!"])  # in Go: queue.Get; in Node: await queue.get()

    jobs = Queue.open("book.jobs")
    with jobs.take() as message:  # killed in this block: another process gets it
        print(message.value, message.deliveries)
