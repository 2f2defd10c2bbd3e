"""Threads that use the same objects at the same time, also without the interpreter lock."""

import threading
import time
import unittest

import polyproc

SECONDS = 1


def same(item):
    return item


class Threads(unittest.TestCase):
    def setUp(self):
        self.errors = []
        self.pool = polyproc.Pool(2)
        self.addCleanup(self.pool.terminate)
        self.values, self.plain = {"0": 0}, polyproc.Queue(format="msgpack")
        self.queue, self.lock = polyproc.Queue(), polyproc.Lock()
        self.end = time.monotonic() + SECONDS

    def repeat(self, step):
        number = 0
        try:
            while time.monotonic() < self.end:
                step(number)
                number += 1
        except BaseException as error:
            self.errors.append(error)

    def change(self, number):
        self.values[str(number % 60)] = number
        self.values.pop(str(number * 7 % 60), None)

    def put_and_get(self, number):
        self.queue.put(self.values)
        self.queue.get()
        try:
            self.plain.put(self.values)
        except RuntimeError:
            # It was changed meanwhile.
            return
        self.plain.get()

    def take(self, number):
        self.queue.put(b"x" * 1000)
        with self.queue.take() as message, self.lock:
            bytes(message.data[:10])

    def map(self, number):
        numbers = range(number * 37 % 3000)
        assert self.pool.map(same, numbers) == list(numbers)

    def test_the_same_objects(self):
        steps = [self.change, *[self.put_and_get] * 3, *[self.take] * 2, *[self.map] * 2]
        threads = [threading.Thread(target=self.repeat, args=(step,)) for step in steps]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.errors, [])
        self.assertEqual((self.queue.qsize(), self.plain.qsize()), (0, 0))


if __name__ == "__main__":
    unittest.main()
