"""The examples of the book's page about Python: docs/book/reference/python.md includes them."""

import os
import sys
import threading
import unittest

import polyproc
from polyproc import (
    Barrier,
    Condition,
    Event,
    Lock,
    MessageState,
    Pipe,
    Pool,
    Process,
    Queue,
    Semaphore,
    unlink,
    wait_any,
)
from polyproc.workers import WorkerPool
from support import DEADLINE


def greet(queue):
    queue.put("hello")


def square(number):
    return number * number


class TestBook(unittest.TestCase):
    def test_names(self):
        name = f"python-book.{os.getpid()}"
        # ANCHOR: names
        jobs = Queue(name=name, exist_ok=True, format="msgpack")  # without a name: anonymous
        again = Queue.open(name)  # in this process or in another one, in any language
        unlink(name)  # open objects go on
        # ANCHOR_END: names
        jobs.put("still here")
        self.assertEqual(again.get(timeout=DEADLINE), "still here")

    def test_queue(self):
        seen = []
        work = seen.append
        # ANCHOR: queue
        jobs = Queue(1000, joinable=True)
        jobs.put("cat.png")
        jobs.shutdown()  # no more messages come
        for job in jobs:
            work(job)
            jobs.task_done()  # killed before this: another worker gets the job
        jobs.join()
        # ANCHOR_END: queue
        self.assertEqual(seen, ["cat.png"])

    def test_settled(self):
        # ANCHOR: settled
        jobs = Queue(joinable=True)
        id = jobs.put_id("cat.png")
        assert jobs.settled(id) is MessageState.WAITING
        with jobs.take() as job:
            assert job.id == id and jobs.settled(id) is MessageState.LEASED
        assert jobs.settled(id) is MessageState.DONE
        # ANCHOR_END: settled

    def test_slot(self):
        seen = []
        work_on = seen.append
        # ANCHOR: slot
        jobs = Queue(format="bytes")
        with jobs.reserve(7) as room:  # written in place: no copy
            room.data[:] = b"cat.png"
        with jobs.take(timeout=1) as job:  # done at the end of the block, given back if it raises
            work_on(bytes(job.data))
        # ANCHOR_END: slot
        self.assertEqual(seen, [b"cat.png"])

    def test_lock(self):
        def repair():
            self.fail("nobody died")

        # ANCHOR: lock
        lock = Lock()
        with lock:
            if lock.owner_died:
                repair()  # a process was killed while it held the lock
        # ANCHOR_END: lock
        self.assertFalse(lock.locked())

    def test_semaphore(self):
        # ANCHOR: semaphore
        licences = Semaphore(4, owned=True)
        with licences:
            print(licences.get_value(), "are left")  # killed here: the permit comes back
        # ANCHOR_END: semaphore
        self.assertEqual(licences.get_value(), 4)

    def test_event(self):
        # ANCHOR: event
        ready = Event()
        Process(target=ready.set).start()
        is_ready = ready.wait(timeout=60)
        # ANCHOR_END: event
        self.assertTrue(is_ready)

    def test_condition(self):
        count = [0]
        # ANCHOR: condition
        changed = Condition()

        def change():  # in another thread or process
            with changed:
                count[0] += 1
                changed.notify_all()

        threading.Thread(target=change).start()
        with changed:
            changed.wait_for(lambda: count[0] > 0)
        # ANCHOR_END: condition
        self.assertEqual(count, [1])

    def test_barrier(self):
        # ANCHOR: barrier
        barrier = Barrier(2)
        Process(target=barrier.wait).start()
        index = barrier.wait(timeout=60)
        # ANCHOR_END: barrier
        self.assertIn(index, (0, 1))

    def test_pipe(self):
        # ANCHOR: pipe
        here, there = Pipe()
        there.send(["hello", 88])
        there.close()
        greeting = here.recv()  # then EOFError
        # ANCHOR_END: pipe
        self.assertEqual(greeting, ["hello", 88])
        self.assertRaises(EOFError, here.recv)

    def test_process(self):
        # ANCHOR: process
        queue = Queue()
        child = Process(target=greet, args=(queue,))
        child.start()
        greeting = queue.get()
        child.join()
        # ANCHOR_END: process
        self.assertEqual((greeting, child.exitcode), ("hello", 0))

    def test_pool(self):
        # ANCHOR: pool
        with Pool(2, max_attempts=3) as pool:
            squares = pool.map(square, [1, 2, 3])
        # ANCHOR_END: pool
        self.assertEqual(squares, [1, 4, 9])

    def test_workers(self):
        here = os.path.dirname(os.path.abspath(__file__))
        argv = [sys.executable, os.path.join(here, "worker_program.py")]
        # ANCHOR: workers
        with WorkerPool(argv, workers=2) as pool:  # a program in any language
            nine = pool.apply("square", 3)
            squares = list(pool.map("square", [1, 2]))
        # ANCHOR_END: workers
        self.assertEqual((nine, squares), (9, [1, 4]))

    def test_waiting(self):
        jobs, closing = Queue(), Event()
        closing.set()
        # ANCHOR: waiting
        ready = wait_any([jobs, closing], timeout=10)
        # ANCHOR_END: waiting
        self.assertEqual(ready, [closing])

    def test_errors(self):
        said = []
        report = said.append
        # ANCHOR: errors
        try:
            Queue.open("no-such-queue")
        except FileNotFoundError as error:
            report(str(error))
        try:
            Queue().get(timeout=0.01)
        except polyproc.Empty:
            report("nothing came")
        # ANCHOR_END: errors
        self.assertEqual(said[1], "nothing came")


if __name__ == "__main__":
    unittest.main()
