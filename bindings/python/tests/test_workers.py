"""Pools whose workers are programs: polyproc.workers."""

import os
import pathlib
import signal
import sys
import tempfile
import unittest
from multiprocessing import TimeoutError

from polyproc import WorkerDied
from polyproc.workers import TaskFailed, WorkerPool
from support import DEADLINE, until

PROGRAM = [sys.executable, str(pathlib.Path(__file__).with_name("worker_program.py"))]


class Workers(unittest.TestCase):
    def test_results(self):
        with WorkerPool(PROGRAM, 2) as pool:
            self.assertEqual(pool.apply("square", 3, DEADLINE), 9)
            self.assertEqual(list(pool.map("square", range(50))), [n * n for n in range(50)])
            value = {"list": [1, None, "包子"], "bytes": b"\0", "float": 0.5}
            self.assertEqual(pool.submit("echo", value).get(DEADLINE), value)
            self.assertEqual(len(set(pool.worker_pids())), 2)
            pool.shutdown()
            self.assertTrue(pool.join(DEADLINE))

    def test_bytes(self):
        with WorkerPool([*PROGRAM, "bytes"], 1, format="bytes") as pool:
            self.assertEqual(pool.apply("echo", b"x" * 100_000, DEADLINE), b"x" * 100_000)
        self.assertRaisesRegex(ValueError, "format is 'pickle'", WorkerPool, ["x"], format="pickle")

    def test_failures(self):
        with WorkerPool(PROGRAM, 1) as pool:
            with self.assertRaisesRegex(TaskFailed, "'because'"):
                pool.apply("fail", "because", DEADLINE)
            with self.assertRaisesRegex(TaskFailed, "ValueError"):
                pool.apply("no_message", None, DEADLINE)
            with self.assertRaisesRegex(TaskFailed, "msgpack has no object"):
                pool.apply("no_msgpack", None, DEADLINE)
            self.assertRaises(LookupError, pool.apply, "unknown", None, DEADLINE)
            self.assertRaises(TypeError, pool.submit, "echo", object())
            self.assertEqual(pool.apply("square", 3, DEADLINE), 9)

    def test_a_killed_worker_costs_its_own_task(self):
        with WorkerPool(PROGRAM, 1) as pool:
            self.assertRaises(WorkerDied, pool.apply, "die", None, DEADLINE)
            self.assertEqual(pool.apply("square", 3, DEADLINE), 9)
            os.kill(pool.apply("pid", None, DEADLINE), signal.SIGKILL)
            self.assertEqual(pool.apply("square", 4, DEADLINE), 16)

    def test_a_task_is_tried_again(self):
        with tempfile.TemporaryDirectory() as marks, WorkerPool(PROGRAM, 1, max_attempts=2) as pool:
            survived = pool.apply("die_the_first_time", f"{marks}/mark", DEADLINE)
            self.assertEqual(survived, "survived")

    def test_a_worker_has_a_number_of_tasks(self):
        with WorkerPool(PROGRAM, 1, max_tasks_per_worker=2) as pool:
            pids = [pool.apply("pid", None, DEADLINE) for _ in range(4)]
            self.assertEqual((pids[0], pids[2]), (pids[1], pids[3]))
            self.assertNotEqual(pids[0], pids[2])

    def test_timeout_cancel_terminate(self):
        with WorkerPool(PROGRAM, 1) as pool:
            sleeping, waiting, canceled = (pool.submit("sleep", 3600) for _ in range(3))
            self.assertRaises(TimeoutError, sleeping.get, 0.01)
            self.assertTrue(canceled.cancel())
            self.assertRaises(RuntimeError, canceled.get, DEADLINE)
            pool.shutdown()
            self.assertFalse(pool.join(0.01))
            pool.terminate()
            self.assertRaises((RuntimeError, WorkerDied), sleeping.get, DEADLINE)
            self.assertRaises(RuntimeError, waiting.get, DEADLINE)
            self.assertTrue(pool.join(DEADLINE))

    def test_close_leaves_no_worker(self):
        pool = WorkerPool(PROGRAM, 2)
        pids = pool.worker_pids()
        pool.close()
        until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "the end")
        self.assertRaisesRegex(ValueError, "closed", pool.submit, "square", 1)

    def test_no_program(self):
        self.assertRaises(ValueError, WorkerPool, [])
        self.assertRaises(FileNotFoundError, WorkerPool, ["/nowhere/to/be/found"])


if __name__ == "__main__":
    unittest.main()
