"""Pools and the executor: what multiprocessing promises, and what it does not."""

import gc
import os
import pickle
import random
import signal
import sys
import threading
import unittest
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool

import polyproc
from support import DEADLINE, captured_stderr, sleep_for_ever, until


def square(number):
    return number * number


def add(one, two):
    return one + two


def fail(text):
    raise KeyError(text)


def die_the_first_time(marks, number):
    """Killed at the first attempt of each number in the list."""
    mark = f"{marks}/{number}"
    if not os.path.exists(mark):
        with open(mark, "w"):
            pass
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def pid(_):
    return os.getpid()


def start(queue):
    global inherited
    inherited = queue


def use_inherited(value):
    inherited.put(value)


def wait_for_inherited():
    return inherited.wait()


def no_start():
    raise ValueError("this worker does not start")


def same(item):
    return item


class NoPickle:
    def __reduce__(self):
        raise pickle.PicklingError("never")


class ExitsWhenUnpickled:
    def __reduce__(self):
        return sys.exit, (3,)


def the_exiting():
    return ExitsWhenUnpickled()


class Pools(unittest.TestCase):
    def test_10_000_tasks_and_20_killed_workers(self):
        with polyproc.Pool(4, max_attempts=20) as pool:
            results, victims = [], set()
            while len(results) < 10_000:
                begin = len(results)
                results += [pool.apply_async(square, (begin + n,)) for n in range(500)]
                # While these tasks wait or run.
                until(lambda: set(pool._pool) - victims, "a new worker")
                victim = random.choice(list(set(pool._pool) - victims))
                os.kill(victim.pid, signal.SIGKILL)
                victims.add(victim)
            self.assertEqual(
                [result.get(DEADLINE) for result in results], [n * n for n in range(10_000)]
            )
            self.assertEqual(len(victims), 20)
            for victim in victims:
                until(lambda victim=victim: victim.exitcode == -signal.SIGKILL)

    def test_the_results_of_a_map_are_in_their_places(self):
        lists = [
            list(range(-5000, 5000)),
            [number / 3 for number in range(5000)],
            [2**63 - 1, -(2**63), None, True, 1.5] * 1000,
            [1] * 4000 + ["text", [1, 2], 2**80] + [1] * 1000,
        ]
        with polyproc.Pool(2) as pool:
            for items in lists:
                for chunksize in (None, 1, 1500):
                    results = pool.map(same, items, chunksize)
                    self.assertEqual(results, items)
                    self.assertEqual([*map(type, results)], [*map(type, items)])

    def test_a_task_is_tried_again(self):
        import tempfile

        with tempfile.TemporaryDirectory() as marks, polyproc.Pool(2, max_attempts=2) as pool:
            results = pool.starmap(die_the_first_time, [(marks, number) for number in range(3)], 1)
            self.assertEqual(results, [0, 1, 2])

    def test_a_traceback_travels(self):
        with polyproc.Pool(1) as pool:
            with self.assertRaises(KeyError) as caught:
                pool.apply(fail, ("why",))
            self.assertEqual(caught.exception.args, ("why",))
            self.assertIn("in fail", str(caught.exception.__cause__))

    def test_open_tasks_end_with_the_pool(self):
        pool = polyproc.Pool(1)
        results = [pool.apply_async(sleep_for_ever) for _ in range(3)]
        pool.terminate()
        pool.join()
        for result in results:
            self.assertRaises(RuntimeError, result.get, 0)

    def test_an_initializer_that_fails(self):
        with polyproc.Pool(2, initializer=no_start) as pool:
            with self.assertRaisesRegex(ValueError, "does not start"):
                pool.apply_async(square, (1,)).get(DEADLINE)

    def test_objects_reach_the_workers(self):
        for method in ("fork", "spawn"):
            ctx = polyproc.get_context(method)
            queue = ctx.Queue()
            with ctx.Pool(1, start, (queue,)) as pool:
                pool.map(use_inherited, range(3))
            self.assertEqual(queue.get_many(10), [0, 1, 2])

    def test_imap_waits_for_nobody(self):
        def endless():
            number = 0
            while True:
                yield number
                number += 1

        with polyproc.Pool(2) as pool:
            squares = pool.imap(square, endless())
            self.assertEqual([next(squares) for _ in range(500)], [n * n for n in range(500)])

    def test_callbacks_need_nobody_who_waits(self):
        come, failed = [], []
        with polyproc.Pool(1) as pool:
            pool.apply_async(square, (3,), callback=come.append)
            pool.apply_async(fail, ("x",), error_callback=failed.append)
            until(lambda: come and failed)
        self.assertEqual((come, failed[0].args), ([9], ("x",)))

    def test_a_callback_that_fails_holds_up_nobody(self):
        come = []
        with polyproc.Pool(1) as pool, captured_stderr() as stderr:
            pool.apply_async(square, (3,), callback=lambda _: 1 / 0)
            pool.apply_async(square, (4,), callback=come.append)
            until(lambda: come)
        self.assertEqual(come, [16])
        self.assertIn("ZeroDivisionError", stderr.getvalue())

    def test_a_result_that_exits_when_it_is_unpickled(self):
        with polyproc.Pool(1) as pool:
            self.assertRaises(SystemExit, pool.apply, the_exiting)
            self.assertEqual(pool.apply(square, (2,)), 4)

    def test_many_threads_wait(self):
        with polyproc.Pool(2) as pool:
            got = []
            threads = [
                threading.Thread(target=lambda n=n: got.append(pool.apply(square, (n,))))
                for n in range(20)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(DEADLINE)
            self.assertEqual(sorted(got), sorted(n * n for n in range(20)))


def exit_code(worker):
    worker.join(DEADLINE)
    # If the pool's own thread collects the worker at the same moment, join returns before that
    # thread has stored the code.
    until(lambda: worker.exitcode is not None, "the exit code")
    return worker.exitcode


class Executors(unittest.TestCase):
    def test_a_killed_worker_costs_its_own_task(self):
        with polyproc.ProcessPoolExecutor(2) as executor:
            futures = [executor.submit(square, number) for number in range(50)]
            killed = executor.submit(
                os.kill, executor.submit(pid, 0).result(DEADLINE), signal.SIGKILL
            )
            futures += [executor.submit(square, number) for number in range(50)]
            for future in as_completed([*futures, killed], DEADLINE):
                if future is not killed:
                    self.assertIsInstance(future.result(), int)

    def test_map_and_chunks(self):
        with polyproc.ProcessPoolExecutor(2) as executor:
            self.assertEqual(list(executor.map(add, range(10), range(10))), list(range(0, 20, 2)))
            self.assertEqual(
                list(executor.map(square, range(10), chunksize=3)), [n * n for n in range(10)]
            )

    def test_an_initializer_that_fails(self):
        with polyproc.ProcessPoolExecutor(1, initializer=no_start) as executor:
            with self.assertRaises(BrokenProcessPool):
                executor.submit(square, 1).result(DEADLINE)
            self.assertRaises(BrokenProcessPool, executor.submit, square, 1)

    def test_a_result_descriptor_that_is_readable_for_nothing_hangs_no_executor(self):
        self.assertIsNone(polyproc.SimpleQueue()._reader.recv())

    def test_a_result_that_exits_when_it_is_unpickled(self):
        with polyproc.ProcessPoolExecutor(1) as executor:
            with self.assertRaises(SystemExit):
                executor.submit(the_exiting).result(DEADLINE)
            self.assertEqual(executor.submit(square, 2).result(DEADLINE), 4)

    def test_a_killed_worker_is_what_python_calls_broken(self):
        with polyproc.ProcessPoolExecutor(1) as executor:
            killed = executor.submit(os.kill, executor.submit(pid, 0).result(), signal.SIGKILL)
            error = killed.exception(DEADLINE)
            self.assertIsInstance(error, polyproc.WorkerDied)
            self.assertIsInstance(error, BrokenProcessPool)
            self.assertEqual(executor.submit(square, 2).result(DEADLINE), 4)

    def test_an_executor_that_nobody_needs_any_more_ends(self):
        executor = polyproc.ProcessPoolExecutor(2)
        squares, workers = executor.map(square, range(10)), list(executor._processes.values())
        del executor
        gc.collect()
        self.assertEqual(list(squares), [n * n for n in range(10)])
        self.assertEqual([exit_code(worker) for worker in workers], [0, 0])

    def test_shutdown_without_waiting(self):
        executor = polyproc.ProcessPoolExecutor(2)
        squares, workers = executor.map(square, range(10)), list(executor._processes.values())
        refused = executor.submit(square, NoPickle())
        executor.shutdown(wait=False)
        self.assertIsInstance(refused.exception(DEADLINE), pickle.PicklingError)
        self.assertEqual(list(squares), [n * n for n in range(10)])
        self.assertEqual([exit_code(worker) for worker in workers], [0, 0])

    def test_thousands_of_calls_that_cannot_be_pickled(self):
        release = polyproc.Event()
        with polyproc.ProcessPoolExecutor(1, initializer=start, initargs=(release,)) as executor:
            first = [executor.submit(wait_for_inherited) for _ in range(2)]
            refused = [executor.submit(square, NoPickle()) for _ in range(3000)]
            release.set()
            for future in refused:
                self.assertIsInstance(future.exception(DEADLINE), pickle.PicklingError)
            for future in first:
                self.assertTrue(future.result(DEADLINE))

    def test_pythons_executor_takes_our_context(self):
        from concurrent.futures import ProcessPoolExecutor

        for method in ("fork", "spawn", "forkserver"):
            with ProcessPoolExecutor(1, mp_context=polyproc.get_context(method)) as executor:
                self.assertEqual(list(executor.map(square, range(5))), [0, 1, 4, 9, 16])


if __name__ == "__main__":
    unittest.main()
