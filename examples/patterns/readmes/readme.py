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
    with_name.put(["hello", 88, b"World!"])  # in Go: queue.GetValue; in Node: await queue.get()

    jobs = Queue.open("book.jobs")
    with jobs.take() as message:  # killed in this block: another process gets it
        print(message.value, message.deliveries)

    from polyproc import Semaphore, inherited, wait_any

    # The permit of a holder that is killed comes back.
    licences = Semaphore(3, name="book.licences", create=True, exist_ok=True, owned=True)
    # A message that has cost three processes becomes a dead letter: letters.take_dead().
    letters = Queue(name="book.letters", create=True, exist_ok=True, max_deliveries=3)
    print(letters.info().dead_letters)
    # The list of those that are ready; also of events, connections and processes.
    wait_any([jobs, letters], timeout=1)
    # From a parent in any language, which gave it this name.
    work = inherited("work")
    print(work.get())
