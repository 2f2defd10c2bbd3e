"""Eleven ways in which a program over Python's multiprocessing hangs. Here each goes on."""

import os
import signal
import sys
import threading
import time
import unittest
import warnings
from contextlib import contextmanager

import polyproc
from support import DEADLINE, child, kill, sleep_for_ever, until

#: A second, times what a busy machine may need. How long each took is printed.
SOON = 20


def hold(lock, ready):
    lock.acquire()
    ready.set()
    sleep_for_ever()


def get(queue, ready):
    ready.set()
    queue.get()


def put_many(queue, ready):
    ready.set()
    while True:
        queue.put(b"x" * 100_000)


def wait_at_condition(condition, ready):
    with condition:
        ready.set()
        condition.wait()


def wait(thing, ready):
    ready.set()
    thing.wait()


def get_and_die(queue):
    queue.get()
    os.kill(os.getpid(), signal.SIGKILL)


def done_after_get(queue):
    while True:
        queue.get()
        queue.task_done()


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def put_a_lot(queue):
    for _ in range(100):
        queue.put(b"x" * 100_000)


def wait_and_tell(event, ready, result):
    ready.set()
    result.append(event.wait())


class NoWayBack(Exception):
    def __init__(self, one, two):
        super().__init__("one argument too few for its pickle")


def raise_no_way_back():
    raise NoWayBack(1, 2)


def call_exit():
    sys.exit(3)


def square(number):
    return number * number


def wait_for_sleeper(queue, count):
    until(lambda: queue.info().waiting >= count, "the child waits")


class Hangs(unittest.TestCase):
    took = {}

    @classmethod
    def tearDownClass(cls):
        print("\nhow long the others were held up:", file=sys.stderr)
        for name, seconds in sorted(cls.took.items(), key=lambda one: int(one[0].split()[0])):
            print(f"    {name:<52}{seconds * 1000:8.1f} ms", file=sys.stderr)

    @contextmanager
    def soon(self):
        begin = time.monotonic()
        yield
        took = time.monotonic() - begin
        self.took[self._testMethodName.removeprefix("test_").replace("_", " ")] = took
        self.assertLess(took, SOON)

    def test_1_killed_while_it_holds_a_lock(self):
        lock, ready = polyproc.Lock(), polyproc.Event()
        with child(hold, lock, ready) as holder:
            ready.wait(DEADLINE)
            kill(holder)
            with self.soon(), self.assertWarns(polyproc.OwnerDied):
                self.assertTrue(lock.acquire())
        self.assertTrue(lock.owner_died)
        lock.release()
        self.assertTrue(lock.acquire())
        self.assertFalse(lock.owner_died)
        lock.release()

    def test_1_the_warning_can_be_an_error(self):
        lock, ready = polyproc.RLock(), polyproc.Event()
        with child(hold, lock, ready) as holder:
            ready.wait(DEADLINE)
            kill(holder)
            with warnings.catch_warnings():
                warnings.simplefilter("error", polyproc.OwnerDied)
                with self.assertRaises(polyproc.OwnerDied):
                    lock.acquire()
        self.assertFalse(lock.locked())

    def test_2_killed_in_get(self):
        queue, ready = polyproc.Queue(), polyproc.Event()
        with child(get, queue, ready) as reader:
            ready.wait(DEADLINE)
            wait_for_sleeper(queue, 1)
            kill(reader)
            with self.soon():
                queue.put("hello")
                self.assertEqual(queue.get(), "hello")

    def test_3_killed_in_put(self):
        queue, ready = polyproc.Queue(2), polyproc.Event()
        with child(put_many, queue, ready) as writer:
            ready.wait(DEADLINE)
            wait_for_sleeper(queue, 1)
            kill(writer)
            with self.soon():
                self.assertEqual(queue.get(), b"x" * 100_000)
                queue.put("hello")
                queue.get()
                self.assertEqual(queue.get(), "hello")

    def test_4_killed_while_it_waits_at_a_condition(self):
        condition, ready = polyproc.Condition(), polyproc.Event()
        with child(wait_at_condition, condition, ready) as waiter:
            ready.wait(DEADLINE)
            with condition:
                # The child has released the lock: it waits.
                kill(waiter)
                with self.soon():
                    condition.notify()
                    condition.notify_all()

    def test_5_killed_while_it_waits_for_an_event(self):
        event, ready = polyproc.Event(), polyproc.Event()
        with child(wait, event, ready) as waiter:
            ready.wait(DEADLINE)
            kill(waiter)
            with self.soon():
                event.set()
                self.assertTrue(event.wait())

    def test_6_killed_while_it_waits_at_a_barrier(self):
        barrier, ready = polyproc.Barrier(2), polyproc.Event()
        with child(wait, barrier, ready) as party:
            until(lambda: barrier.n_waiting == 1)
            kill(party)
            with self.soon(), self.assertRaises(threading.BrokenBarrierError):
                barrier.wait()

    def test_7_a_killed_worker_of_a_pool(self):
        with polyproc.Pool(2) as pool, self.soon():
            with self.assertRaises(polyproc.WorkerDied):
                pool.apply(die)
            self.assertEqual(pool.map(square, range(4)), [0, 1, 4, 9])

    def test_8_an_exception_that_cannot_be_unpickled(self):
        with polyproc.Pool(1) as pool, self.soon():
            with self.assertRaisesRegex(RuntimeError, "NoWayBack"):
                pool.apply(raise_no_way_back)
            self.assertEqual(pool.apply(square, (2,)), 4)

    def test_9_exit_in_a_task(self):
        with polyproc.Pool(1) as pool, self.soon():
            with self.assertRaises(SystemExit):
                pool.apply(call_exit)
            self.assertEqual(pool.apply(square, (2,)), 4)

    def test_10_join_before_the_queue_is_drained(self):
        queue = polyproc.Queue()
        with child(put_a_lot, queue, daemon=False) as writer, self.soon():
            writer.join()
            self.assertEqual(writer.exitcode, 0)
        self.assertEqual(queue.qsize(), 100)

    def test_11_a_killed_worker_of_a_joinable_queue(self):
        queue = polyproc.JoinableQueue()
        queue.put("task")
        with child(get_and_die, queue) as victim:
            victim.join(DEADLINE)
        with child(done_after_get, queue), self.soon():
            self.assertTrue(queue.join())

    def test_12_clear_right_after_set(self):
        for _ in range(40):
            event, ready = polyproc.Event(), polyproc.Event()
            result = []
            thread = threading.Thread(target=wait_and_tell, args=(event, ready, result))
            thread.start()
            ready.wait(DEADLINE)
            time.sleep(0.001)
            event.set()
            event.clear()
            thread.join(SOON)
            if not result:
                # The thread had not begun to wait: nothing was promised.
                event.set()
                thread.join(SOON)
            self.assertEqual(result, [True])


if __name__ == "__main__":
    unittest.main()
