"""Processes: daemons, signals, objects that travel."""

import os
import signal
import subprocess
import sys
import threading
import time
import unittest
from functools import partial

import polyproc
from support import DEADLINE, child, kill, sleep_for_ever, until


def start_a_daemon(pids):
    daemon = polyproc.Process(target=sleep_for_ever, daemon=True)
    daemon.start()
    pids.put(daemon.pid)
    sleep_for_ever()


def start_a_daemon_in_a_thread(pids):
    threading.Thread(target=start_a_daemon, args=(pids,)).start()
    sleep_for_ever()


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def is_group(number):
    try:
        os.killpg(number, 0)
    except ProcessLookupError:
        return False
    return True


def notify(condition):
    with condition:
        condition.notify()


def use_all(queue, joinable, lock, rlock, semaphore, event, condition, barrier, conn):
    assert queue.get() == 1
    assert joinable.get() == 2
    joinable.task_done()
    with lock, rlock:
        semaphore.release()
    with condition:
        condition.notify()
    event.set()
    barrier.wait()
    conn.send(conn.recv() + 1)


def echo_connections(conn):
    other = conn.recv()
    other.send("through the other")
    conn.send("done")


#: Each waits for ever, in the main thread: how it is made, and the call.
WAITS = {
    "lock": ("lock = polyproc.Lock(); lock.acquire()", "lock.acquire"),
    "semaphore": ("semaphore = polyproc.Semaphore(0)", "semaphore.acquire"),
    "event": ("event = polyproc.Event()", "event.wait"),
    "condition": ("condition = polyproc.Condition(); condition.acquire()", "condition.wait"),
    "condition of a lock": (
        "condition = polyproc.Condition(polyproc.Lock()); condition.acquire()",
        "condition.wait",
    ),
    "barrier": ("barrier = polyproc.Barrier(2)", "barrier.wait"),
    "barrier with an action": ("barrier = polyproc.Barrier(2, print)", "barrier.wait"),
    "get": ("queue = polyproc.Queue()", "queue.get"),
    "take": ("queue = polyproc.Queue()", "queue.take"),
    "put": ("queue = polyproc.Queue(1); queue.put(1)", "partial(queue.put, 2)"),
    "join": ("queue = polyproc.JoinableQueue(); queue.put(1)", "queue.join"),
    "recv": ("a, b = polyproc.Pipe()", "a.recv"),
    "poll": ("a, b = polyproc.Pipe()", "partial(a.poll, None)"),
    "pool": ("pool = polyproc.Pool(2)", "partial(pool.apply, time.sleep, (3600,))"),
    "map": ("pool = polyproc.Pool(2)", "partial(pool.map, time.sleep, [3600] * 10)"),
    "executor": (
        "executor = polyproc.ProcessPoolExecutor(2)",
        "executor.submit(time.sleep, 3600).result",
    ),
    "process": (
        "process = polyproc.Process(target=time.sleep, args=(3600,), daemon=True); process.start()",
        "process.join",
    ),
    "wait_any": ("queue = polyproc.Queue()", "partial(polyproc.wait_any, [queue])"),
    "aget": ("queue = polyproc.Queue()", "lambda: asyncio.run(queue.aget())"),
    "accept": ("listener = Listener(('localhost', 0))", "listener.accept"),
    "manager": ("queue = polyproc.Manager().Queue()", "queue.get"),
}

# A job that a shell starts in the background inherits an ignored SIGINT, and the program would too.
PROGRAM = """
import asyncio, ctypes, operator, signal, sys, time, polyproc
from functools import partial
from polyproc.connection import Listener
signal.signal(signal.SIGINT, signal.default_int_handler)
def interrupt():
    # Python's handler has noted the signal, and runs no code of Python before the wait.
    return partial(getattr(ctypes.CDLL(None), "raise"), signal.SIGINT)
if __name__ == "__main__":
    try:
        {make}
        call = {call}
        print("ready", flush=True)
        {run}
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""
RUN = "call()"
RUN_INTERRUPTED = "list(map(operator.methodcaller('__call__'), [interrupt(), call]))"


class Processes(unittest.TestCase):
    def test_a_daemon_dies_with_its_killed_parent(self):
        for method in ("fork", "spawn", "forkserver"):
            for target in (start_a_daemon, start_a_daemon_in_a_thread):
                with self.subTest(method=method, target=target.__name__):
                    ctx = polyproc.get_context(method)
                    pids = ctx.Queue()
                    parent = ctx.Process(target=target, args=(pids,))
                    parent.start()
                    daemon = pids.get(timeout=DEADLINE)
                    self.assertTrue(is_running(daemon))
                    kill(parent)
                    until(lambda pid=daemon: not is_running(pid), "the daemon's end")

    def test_a_daemon_has_no_children(self):
        answers = polyproc.Queue()
        with child(_try_to_start, answers):
            self.assertEqual(answers.get(timeout=DEADLINE), "AssertionError")

    def test_everything_travels(self):
        for method in ("fork", "spawn", "forkserver"):
            with self.subTest(method=method):
                ctx = polyproc.get_context(method)
                queue, joinable = ctx.Queue(), ctx.JoinableQueue()
                lock, rlock, semaphore = ctx.Lock(), ctx.RLock(), ctx.Semaphore(0)
                event, condition, barrier = ctx.Event(), ctx.Condition(), ctx.Barrier(2)
                ours, theirs = ctx.Pipe()
                queue.put(1)
                joinable.put(2)
                args = (queue, joinable, lock, rlock, semaphore, event, condition, barrier, theirs)
                process = ctx.Process(target=use_all, args=args)
                with condition:
                    process.start()
                    theirs.close()
                    self.assertTrue(condition.wait(DEADLINE))
                self.assertTrue(semaphore.acquire(timeout=DEADLINE))
                self.assertTrue(event.wait(DEADLINE))
                barrier.wait(DEADLINE)
                ours.send(41)
                self.assertEqual(ours.recv(), 42)
                self.assertTrue(joinable.join(DEADLINE))
                process.join(DEADLINE)
                self.assertEqual(process.exitcode, 0)
                self.assertRaises(EOFError, ours.recv)

    def test_a_connection_travels_through_another(self):
        ours, theirs = polyproc.Pipe()
        one, other = polyproc.Pipe()
        with child(echo_connections, theirs):
            ours.send(other)
            self.assertEqual(one.recv(), "through the other")
            self.assertEqual(ours.recv(), "done")

    def start_waiting(self, wait, run):
        make, call = WAITS[wait]
        program = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(make=make, call=call, run=run)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.addCleanup(program.kill)
        self.assertEqual(program.stdout.readline(), "ready\n")
        return program

    def check_interrupted(self, program):
        with program.stdout, program.stderr:
            program.wait(DEADLINE)
            out, err = program.stdout.read(), program.stderr.read()
        self.assertEqual(out, "interrupted\n", err)
        self.assertEqual(program.returncode, 0, err)
        # Its children have left the group too.
        until(lambda: not is_group(program.pid), "the end of all processes")

    def test_interrupts_end_every_wait_and_leave_no_process(self):
        for wait in WAITS:
            with self.subTest(wait=wait):
                program = self.start_waiting(wait, RUN)
                # It may still be on its way into the wait, or asleep by now: both count.
                time.sleep(0.05)
                # As a terminal does.
                os.killpg(program.pid, signal.SIGINT)
                self.check_interrupted(program)

    def test_an_interrupt_in_the_moment_before_a_wait_sleeps(self):
        for wait in WAITS:
            with self.subTest(wait=wait):
                if wait == "executor":
                    # The worker gets no signal here, and an executor ends after its tasks.
                    continue
                self.check_interrupted(self.start_waiting(wait, RUN_INTERRUPTED))

    def test_a_handler_that_returns_ends_no_wait(self):
        before = signal.signal(signal.SIGALRM, lambda *_: None)
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        condition, barrier = polyproc.Condition(), polyproc.Barrier(2)
        for wait, proceed in (
            (condition.wait, partial(notify, condition)),
            (barrier.wait, barrier.wait),
        ):
            signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
            timer = threading.Timer(0.5, proceed)
            begin = time.monotonic()
            with condition:
                timer.start()
                wait()
            self.assertGreater(time.monotonic() - begin, 0.45)
            signal.setitimer(signal.ITIMER_REAL, 0)
            timer.join()

    def test_other_handlers_run_during_a_wait(self):
        ran = []
        before = signal.signal(signal.SIGALRM, lambda *_: ran.append(1))
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        self.assertFalse(polyproc.Event().wait(0.3))
        self.assertEqual(ran, [1])

    def test_only_a_wait_lets_other_threads_run_and_it_does(self):
        event = polyproc.Event()
        threading.Timer(0.05, event.set).start()
        self.assertTrue(event.wait(DEADLINE))


def _try_to_start(answers):
    try:
        polyproc.Process(target=os.getpid).start()
    except AssertionError as error:
        answers.put(type(error).__name__)


if __name__ == "__main__":
    unittest.main()
