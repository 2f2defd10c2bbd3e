"""Processes: daemons, signals, objects that travel."""

import os
import signal
import subprocess
import sys
import threading
import time
import unittest

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


def until_asleep(pid):
    """Wait until the process sleeps, and has done so for a while."""
    asleep = 0
    while asleep < 5:
        time.sleep(0.1)
        with open(f"/proc/{pid}/stat") as stat:
            asleep = asleep + 1 if stat.read().rsplit(")", 1)[1].split()[0] == "S" else 0


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


#: Each waits for ever, in the main thread.
WAITS = {
    "lock": "lock = polyproc.Lock(); lock.acquire(); ready(); lock.acquire()",
    "semaphore": "semaphore = polyproc.Semaphore(0); ready(); semaphore.acquire()",
    "event": "event = polyproc.Event(); ready(); event.wait()",
    "condition": "c = polyproc.Condition(); c.acquire(); ready(); c.wait()",
    "barrier": "barrier = polyproc.Barrier(2); ready(); barrier.wait()",
    "get": "queue = polyproc.Queue(); ready(); queue.get()",
    "take": "queue = polyproc.Queue(); ready(); queue.take()",
    "put": "queue = polyproc.Queue(1); queue.put(1); ready(); queue.put(2)",
    "join": "queue = polyproc.JoinableQueue(); queue.put(1); ready(); queue.join()",
    "recv": "a, b = polyproc.Pipe(); ready(); a.recv()",
    "poll": "a, b = polyproc.Pipe(); ready(); a.poll(None)",
    "pool": "pool = polyproc.Pool(2); ready(); pool.apply(time.sleep, (3600,))",
    "process": "p = polyproc.Process(target=time.sleep, args=(3600,), daemon=True); "
    "p.start(); ready(); p.join()",
    "wait_any": "queue = polyproc.Queue(); ready(); polyproc.wait_any([queue])",
}

# A job that a shell starts in the background inherits an ignored SIGINT, and the program would too.
PROGRAM = """
import signal, sys, time, polyproc
signal.signal(signal.SIGINT, signal.default_int_handler)
def ready():
    print("ready", flush=True)
try:
    {wait}
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


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

    def test_interrupts_end_every_wait(self):
        for name, wait in WAITS.items():
            with self.subTest(wait=name):
                program = subprocess.Popen(
                    [sys.executable, "-c", PROGRAM.format(wait=wait)],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
                self.addCleanup(program.kill)
                self.assertEqual(program.stdout.readline(), "ready\n")
                if name in ("condition", "barrier"):
                    # A signal in the last moment before these two sleep is seen after the wait.
                    until_asleep(program.pid)
                else:
                    # It may still be on its way into the wait, or asleep by now: both count.
                    time.sleep(0.05)
                program.send_signal(signal.SIGINT)
                out, err = program.communicate(timeout=DEADLINE)
                self.assertEqual(out, "interrupted\n", err)
                self.assertEqual(program.returncode, 0)

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
