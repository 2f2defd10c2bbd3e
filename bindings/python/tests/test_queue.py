"""Queues: values, loans, names, the end of the stream."""

import os
import pickle
import signal
import unittest

import numpy
import polyproc
from support import DEADLINE, child, kill, until


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __eq__(self, other):
        return (self.x, self.y) == (other.x, other.y)


VALUES = [
    None,
    True,
    False,
    0,
    -1,
    2**31 - 1,
    -(2**31),
    2**31,
    2**80,
    0.0,
    -1.5,
    "",
    "text",
    "包子",
    "\ud800",
    "x" * 255,
    "x" * 256,
    "x" * 5000,
    b"",
    b"bytes",
    b"x" * 255,
    b"x" * 256,
    b"x" * 4096,
    b"x" * 4097,
    b"x" * 1_000_000,
    bytearray(b"x" * 3000),
    [1, "two", None],
    {"a": 1, "b": [2, 3]},
    (1, (2, (3,))),
    {1, 2},
    Point(1, 2),
    len,
    Point,
    list(range(1000)),
    list(range(-40_000, 40_000, 7)),
    [2**63 - 1, -(2**63), None, True, 1.5] * 300,
    [2**63, -(2**63) - 1] * 300,
    [0] * 300 + ["text", [0] * 300],
]

SIMPLE = [
    None, True, False, 0, 127, 128, -32, -33, 2**63 - 1, -(2**63), 2**64 - 1, 1.5,
    "包子", "x" * 40, "x" * 300, "x" * 70000, b"", b"x" * 70000,
    [], [1, [2, None]], list(range(20)), list(range(70000)), {}, {"a": {"b": b"c"}, 1: 2},
]  # fmt: skip


def take_and_die(queue):
    queue.take()
    os.kill(os.getpid(), signal.SIGKILL)


def echo(queue, answers):
    for value in queue:
        answers.put(value)


class Values(unittest.TestCase):
    def test_every_value_comes_back(self):
        for joinable in (False, True):
            queue = polyproc.Queue(joinable=joinable)
            for value in VALUES:
                queue.put(value)
                got = queue.get()
                self.assertEqual(got, value)
                self.assertIs(type(got), type(value))
                with self.subTest(value=repr(value)[:20]):
                    queue.put(value)
                    with queue.take() as message:
                        self.assertEqual(message.value, value)

    def test_a_message_is_a_pickle(self):
        queue = polyproc.Queue()
        for value in VALUES:
            queue.put(value)
            with queue.take() as message:
                self.assertEqual(pickle.loads(message.data), value)

    def test_msgpack(self):
        queue = polyproc.Queue(format="msgpack")
        for value in SIMPLE:
            queue.put(value)
            got = queue.get()
            self.assertEqual(got, value)
            self.assertIs(type(got), type(value))
        queue.put((1, 2))
        self.assertEqual(queue.get(), [1, 2])
        for value in (2**64, -(2**63) - 1):
            self.assertRaises(OverflowError, queue.put, value)
        self.assertRaises(TypeError, queue.put, {1})
        endless = []
        endless.append(endless)
        self.assertRaises(RecursionError, queue.put, endless)
        self.assertTrue(queue.empty())

    def test_bytes(self):
        queue = polyproc.Queue(format="bytes")
        for value in (b"one", bytearray(b"two"), memoryview(b"three")):
            queue.put(value)
            self.assertEqual(queue.get(), bytes(value))
        self.assertRaises(TypeError, queue.put, "text")

    def test_a_label_of_ones_own_is_bytes_and_an_error_names_it(self):
        queue = polyproc.Queue(3, format="json")
        queue.put(b'{"a": 1}')
        self.assertEqual((queue.format, queue.get()), ("json", b'{"a": 1}'))
        puts = (queue.put, queue.put_id, lambda value: queue.put_many([value]))
        for put in puts:
            with self.assertRaisesRegex(TypeError, 'of format "json" takes bytes-like .* not dict'):
                put({"a": 1})

    def test_an_error_of_pickle_is_raised_by_put(self):
        queue = polyproc.Queue()
        with self.assertRaises((AttributeError, pickle.PicklingError)):
            queue.put(lambda: None)
        self.assertTrue(queue.empty())

    def test_an_array_is_copied_once_and_read_in_place(self):
        array = numpy.arange(131072, dtype=numpy.float64)
        queue = polyproc.Queue()
        queue.put({"array": array, "more": [array[:10].copy()]})
        with queue.take() as message:
            inside = message.value["array"]
            self.assertTrue((inside == array).all())
            self.assertFalse(inside.flags.writeable)
            place = inside.__array_interface__["data"][0]
            begin = numpy.frombuffer(message.data, dtype=numpy.uint8).__array_interface__["data"][0]
            self.assertTrue(begin <= place < begin + len(message), "the array lies in the message")
            del inside
        queue.put(array)
        got = queue.get()
        self.assertTrue((got == array).all())
        got[0] = 1
        queue = polyproc.JoinableQueue()
        queue.put(array)
        self.assertTrue((queue.get() == array).all())
        queue.task_done()

    def test_a_view_keeps_the_message(self):
        queue = polyproc.Queue()
        queue.put(b"x" * 10000)
        with queue.take() as message:
            kept = message.data[100:200]
        self.assertEqual(queue.info().in_flight, 1)
        self.assertEqual(kept[:3], b"xxx")
        self.assertRaises(ValueError, lambda: message.data)
        del kept
        self.assertEqual(queue.info().in_flight, 0)


class Loans(unittest.TestCase):
    def test_done_and_give_back(self):
        queue = polyproc.Queue(joinable=True)
        queue.put("task")
        with self.assertRaises(KeyError), queue.take() as message:
            self.assertEqual(message.deliveries, 1)
            raise KeyError
        with queue.take() as message:
            self.assertEqual((message.deliveries, message.value), (2, "task"))
        self.assertRaises(ValueError, message.done)
        self.assertTrue(queue.join(0))
        queue.put("lost")
        queue.take()
        self.assertEqual(queue.get(), "lost")

    def test_reserve(self):
        queue = polyproc.Queue(format="bytes")
        with queue.reserve(10) as slot:
            slot.data[:5] = b"hello"
            slot.commit(5)
        self.assertEqual(queue.get(), b"hello")
        with self.assertRaises(KeyError), queue.reserve(10):
            raise KeyError
        self.assertTrue(queue.empty())
        slot = queue.reserve(4)
        view = slot.data
        self.assertRaises(BufferError, slot.commit)
        view[:] = b"four"
        del view
        slot.commit()
        self.assertEqual(queue.get(), b"four")
        del slot
        queue.reserve(3)
        self.assertRaises(polyproc.Empty, queue.get_nowait)

    def test_many(self):
        for joinable in (False, True):
            queue = polyproc.Queue(10, joinable=joinable)
            self.assertEqual(queue.put_many(range(20), timeout=0.01), 10)
            self.assertRaises(polyproc.Full, queue.put_many, [1], False)
            self.assertEqual(queue.get_many(4), [0, 1, 2, 3])
            messages = queue.take_many(100)
            self.assertEqual([message.value for message in messages], [4, 5, 6, 7, 8, 9])
            for message in messages:
                message.done()
            self.assertRaises(polyproc.Empty, queue.get_many, 4, False)

    def test_dead_letters(self):
        queue = polyproc.Queue(joinable=True, max_deliveries=2)
        queue.put("poison")
        for _ in range(2):
            with child(take_and_die, queue) as victim:
                victim.join(DEADLINE)
        self.assertRaises(polyproc.Empty, queue.take, False)
        with queue.take_dead() as letter:
            self.assertEqual((letter.value, letter.deliveries), ("poison", 2))
        self.assertRaises(polyproc.Empty, queue.take_dead)

    def test_what_became_of_a_message(self):
        queue = polyproc.Queue(2, joinable=True, max_deliveries=1)
        State = polyproc.MessageState
        id = queue.put_id({"amount": 3})
        self.assertIs(queue.settled(id), State.WAITING)
        with queue.take() as message:
            self.assertEqual((message.id, message.value), (id, {"amount": 3}))
            self.assertIs(queue.settled(id), State.LEASED)
        self.assertIs(queue.settled(id), State.DONE)
        poison, last = queue.put_id(b"x" * 1_000_000), queue.put_id(None)
        self.assertRaises(polyproc.Full, queue.put_id, 1, False)
        self.assertRaises(polyproc.Full, queue.put_id, 1, timeout=0.01)
        message = queue.take()
        self.assertEqual(message.value, b"x" * 1_000_000)
        message.give_back()
        self.assertIs(queue.settled(poison), State.DEAD)
        queue.shutdown(immediate=True)
        self.assertIs(queue.settled(last), State.DISCARDED)
        self.assertRaises(ValueError, queue.settled, 2**60)
        self.assertRaises(OverflowError, queue.settled, -1)
        self.assertRaises(polyproc.ShutDown, queue.put_id, 1)

    def test_the_id_of_a_message_in_each_format(self):
        for format in ("pickle", "msgpack", "bytes", "unknown here"):
            queue = polyproc.Queue(format=format)
            ids = [queue.put_id(b"x" * length) for length in (0, 10, 100_000)]
            messages = queue.take_many(3)
            self.assertEqual([message.id for message in messages], ids)
            self.assertEqual([len(message.value) for message in messages], [0, 10, 100_000])
        self.assertRaises(TypeError, queue.put_id, 1)


class Ends(unittest.TestCase):
    def test_shutdown_ends_every_loop(self):
        queue, answers = polyproc.Queue(), polyproc.Queue()
        with child(echo, queue, answers) as one, child(echo, queue, answers) as two:
            queue.put_many(range(100))
            queue.shutdown()
            self.assertRaises(polyproc.ShutDown, queue.put, 1)
            one.join(DEADLINE)
            two.join(DEADLINE)
            self.assertEqual((one.exitcode, two.exitcode), (0, 0))
        self.assertEqual(sorted(answers.get_many(1000)), list(range(100)))
        self.assertRaises(polyproc.ShutDown, queue.get)

    def test_close_is_of_this_object(self):
        queue = polyproc.Queue()
        self.assertRaises(AssertionError, queue.join_thread)
        queue.cancel_join_thread()
        queue.close()
        queue.join_thread()
        self.assertRaises(ValueError, queue.put, 1)
        self.assertRaises(ValueError, queue.get)


class Names(unittest.TestCase):
    def setUp(self):
        self.name = f"polyproc-python-test.{os.getpid()}"

    def test_a_name(self):
        queue = polyproc.Queue(
            name=self.name, create=True, joinable=True, format="msgpack", maxsize=5
        )
        self.addCleanup(polyproc.unlink, self.name)
        same = polyproc.Queue.open(self.name)
        self.assertEqual((same.format, same.joinable, same.maxsize), ("msgpack", True, 5))
        queue.put(["hello", 88, b"World!"])
        self.assertEqual(same.get(), ["hello", 88, b"World!"])
        same.task_done()
        self.assertRaises(FileExistsError, polyproc.Queue, name=self.name)
        self.assertRaises(polyproc.Mismatch, polyproc.Queue, name=self.name, exist_ok=True)
        self.assertRaises(polyproc.Mismatch, polyproc.Lock, self.name, create=False)
        # The empty label, as Python spells it.
        like = {"name": self.name, "exist_ok": True, "joinable": True, "maxsize": 5}
        with self.assertRaisesRegex(polyproc.Mismatch, 'is "msgpack", asked for as "bytes"$'):
            polyproc.Queue(format="bytes", **like)
        again = pickle.loads(pickle.dumps(queue))
        self.assertEqual(again.name, self.name)
        self.assertEqual(len(queue.identity), 16)
        self.assertEqual(again.identity, queue.identity)
        self.assertNotEqual(polyproc.Queue().identity, queue.identity)
        self.assertIn(self.name, [info["name"] for info in polyproc.list_objects()])

    def test_a_name_in_the_place_of_a_number(self):
        for make in (
            polyproc.Queue, polyproc.JoinableQueue, polyproc.Semaphore, polyproc.BoundedSemaphore,
        ):  # fmt: skip
            with self.assertRaisesRegex(TypeError, "its keyword: name='jobs'"):
                make("jobs")

    def test_a_mismatch_with_a_queue_of_bytes(self):
        polyproc.Queue(name=self.name, format="bytes")
        self.addCleanup(polyproc.unlink, self.name)
        with self.assertRaisesRegex(polyproc.Mismatch, 'is "bytes", asked for as "pickle"$'):
            polyproc.Queue(name=self.name, exist_ok=True)

    def test_no_such_name(self):
        with self.assertRaises(FileNotFoundError) as failed:
            polyproc.unlink(self.name)
        self.assertEqual(failed.exception.strerror, f'polyproc: unlink "{self.name}": not found')
        self.assertRaises(FileNotFoundError, polyproc.Queue.open, self.name)
        self.assertRaises(ValueError, polyproc.Queue, name="no/name")

    def test_without_a_name_only_inside_of_a_start(self):
        for thing in (polyproc.Queue(), polyproc.Lock(), polyproc.Event(), polyproc.Barrier(1)):
            self.assertRaises(RuntimeError, pickle.dumps, thing)


class Truth(unittest.TestCase):
    def test_what_was_put_is_there(self):
        queue = polyproc.Queue(1)
        for _ in range(200):
            queue.put(1)
            self.assertFalse(queue.empty())
            self.assertTrue(queue.full())
            self.assertEqual(queue.qsize(), 1)
            queue.get()
            self.assertTrue(queue.empty())

    def test_too_many(self):
        queue = polyproc.JoinableQueue()
        self.assertRaises(ValueError, queue.task_done)
        lock = polyproc.Lock()
        semaphore = polyproc.BoundedSemaphore(2)
        for release in (lock.release, semaphore.release):
            with self.assertRaisesRegex(ValueError, "^polyproc: released more often"):
                release()
        for unowned in (polyproc.RLock().release, polyproc.Condition().notify):
            with self.assertRaisesRegex(AssertionError, "^polyproc: not the owner$"):
                unowned()

    def test_the_lock_of_a_value_is_one_of_ours(self):
        for shared in (polyproc.Value("i"), polyproc.Array("i", 2)):
            self.assertIsInstance(shared.get_lock(), polyproc.RLock)

    def test_permits_of_the_dead_return(self):
        semaphore, ready = polyproc.Semaphore(1, owned=True), polyproc.Event()
        with child(_hold, semaphore, ready) as holder:
            ready.wait(DEADLINE)
            self.assertFalse(semaphore.acquire(False))
            kill(holder)
            self.assertTrue(semaphore.acquire(timeout=DEADLINE))

    def test_wait_any(self):
        queue, event = polyproc.Queue(), polyproc.Event()
        a, b = polyproc.Pipe()
        self.assertEqual(polyproc.wait_any([queue, event, a], 0), [])
        b.send(1)
        self.assertEqual(polyproc.wait_any([queue, event, a], DEADLINE), [a])
        event.set()
        queue.put(1)
        self.assertEqual(polyproc.wait_any([queue, event, a], DEADLINE), [queue, event, a])
        process = polyproc.Process(target=int)
        process.start()
        until(lambda: polyproc.wait_any([process], 1) == [process])
        process.join()


def _hold(semaphore, ready):
    semaphore.acquire()
    ready.set()
    import time

    time.sleep(3600)


if __name__ == "__main__":
    unittest.main()
