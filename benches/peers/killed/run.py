#!/usr/bin/env python3
"""Kills a process that uses a lock or a queue, of polyproc and of its peers, and watches the
survivor.

    run.py PROGRAMS [--rounds N] [--limit SECONDS] [--only NAME]

PROGRAMS is the folder of the built programs (see the Makefile's bench-killed). A victim holds a
lock, or puts or gets as fast as it can, until a SIGKILL at a random moment. Then the survivor must
get the lock, or put one more message and get all messages up to it. Prints a table in Markdown.
"""

import argparse
import contextlib
import mmap
import multiprocessing
import multiprocessing.queues
import os
import random
import select
import struct
import subprocess
import sys
import tempfile
import time

MESSAGE, CAPACITY, PROBE = 1024, 64, 2**64 - 1


class Counts:
    """Four numbers in a file: puts, the victim's gets, whether it is killed, the survivor's gets.
    """

    def __init__(self, path):
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 4096)

    def get(self, at):
        return struct.unpack_from("<Q", self.memory, at * 8)[0]

    def set(self, at, number):
        struct.pack_into("<Q", self.memory, at * 8, number)


# --- Python's own, as processes of this program


def python_victim(mode, lock, queue, path):
    counts = Counts(path)
    if mode == "hold":
        lock.acquire()
        say("ready")
        time.sleep(1e6)
    say("ready")
    number = 0
    while True:
        if mode == "produce":
            queue.put(struct.pack("<Q", number) + bytes(MESSAGE - 8))
            number += 1
            counts.set(0, number)
        else:
            queue.get()
            number += 1
            counts.set(1, number)


def python_survivor(mode, lock, queue, path):
    counts = Counts(path)
    say("ready")
    if mode == "wait":
        lock.acquire()
    elif mode == "after-producer":
        while not counts.get(2):
            python_get(queue, counts, 0.05)
    else:
        number = 0
        while not counts.get(2):
            try:
                queue.put(bytes(MESSAGE), timeout=0.05)
                number += 1
                counts.set(0, number)
            except multiprocessing.queues.Full:
                pass
    if mode != "wait":
        python_go_on(queue, counts)
        queue.cancel_join_thread()
    say("done")


def python_go_on(queue, counts):
    is_put = False
    while True:
        with contextlib.suppress(multiprocessing.queues.Full):
            if not is_put:
                queue.put(struct.pack("<Q", PROBE) + bytes(MESSAGE - 8), timeout=0.05)
                is_put = True
        if python_get(queue, counts, 0.05) == PROBE:
            return


def python_get(queue, counts, timeout):
    try:
        number = struct.unpack_from("<Q", queue.get(timeout=timeout))[0]
    except multiprocessing.queues.Empty:
        return None
    if number != PROBE:
        counts.set(3, counts.get(3) + 1)
    return number


def say(word):
    os.write(1, word.encode() + b"\n")


class Python:
    """Handles are inherited by fork."""

    def __init__(self, _program, _environment):
        self.context = multiprocessing.get_context("fork")

    @contextlib.contextmanager
    def object(self, _name):
        self.lock, self.queue = self.context.Lock(), self.context.Queue(CAPACITY)
        yield

    def start(self, mode, _name, path):
        target = python_survivor if mode in ("wait", "after-producer", "after-consumer") else python_victim
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.dup2(write, 1)
            os.close(read)
            try:
                target(mode, self.lock, self.queue, path)
            finally:
                os._exit(0)
        os.close(write)
        return Started(pid, read)


class Program:
    """A program that plays every role, see killed.h."""

    def __init__(self, program, environment):
        self.program, self.environment = program, {**os.environ, **environment}

    @contextlib.contextmanager
    def object(self, name):
        keeper = subprocess.Popen([self.program, "create", name, "-"], env=self.environment, stdout=subprocess.PIPE)
        if "cloudtoid" in self.program:
            keeper.stdout.readline()
        elif keeper.wait() != 0:
            raise OSError(f"{self.program} create: {keeper.returncode}")
        try:
            yield
        finally:
            keeper.kill()
            keeper.wait()
            keeper.stdout.close()
            for file in os.listdir("/dev/shm"):
                if name in file:
                    os.unlink(f"/dev/shm/{file}")

    def start(self, mode, name, path):
        read, write = os.pipe()
        process = subprocess.Popen([self.program, mode, name, path], env=self.environment, stdout=write)
        os.close(write)
        return Started(process.pid, read, process)


class Started:
    def __init__(self, pid, output, process=None):
        self.pid, self.output, self.process = pid, output, process

    def says(self, limit):
        """Returns its next word; None at the end of the time or of the program."""
        if not select.select([self.output], [], [], limit)[0]:
            return None
        return os.read(self.output, 100).decode().strip() or None

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, 9)
        if self.process:
            self.process.wait()
        else:
            os.waitpid(self.pid, 0)
        os.close(self.output)


class Result:
    def __init__(self):
        self.stalls, self.hung, self.lost, self.doubled = [], 0, 0, 0


def run_round(peer, victim_mode, survivor_mode, limit, result):
    name = f"killed.{os.getpid()}"
    with tempfile.NamedTemporaryFile() as file, peer.object(name):
        file.truncate(4096)
        counts = Counts(file.name)
        victim = peer.start(victim_mode, name, file.name)
        assert victim.says(10) == "ready", f"{victim_mode} does not begin"
        survivor = peer.start(survivor_mode, name, file.name)
        assert survivor.says(10) == "ready", f"{survivor_mode} does not begin"
        time.sleep(random.uniform(0.02, 0.06))
        victim.kill()
        # Count from here: a busy kernel takes its time to end a process.
        began = time.monotonic()
        counts.set(2, 1)
        word = survivor.says(limit)
        if word == "done":
            result.stalls.append(time.monotonic() - began)
            missing = counts.get(0) - counts.get(1) - counts.get(3)
            if victim_mode != "hold":
                result.lost += max(missing, 0)
                result.doubled += max(-missing - (victim_mode == "produce"), 0)
        else:
            result.hung += 1
        survivor.kill()


def describe(result, rounds, limit, is_lock):
    stall = f"{max(result.stalls) * 1000:.1f} ms" if result.stalls else "-"
    hung = f"{result.hung} of {rounds} (waited {limit} s)" if result.hung else f"0 of {rounds}"
    lost = "-" if is_lock or not result.stalls else str(result.lost)
    doubled = "-" if is_lock or not result.stalls else str(result.doubled)
    return f"{hung} | {stall} | {lost} | {doubled}"


PEERS = [
    ("polyproc", Program, "polyproc", {}, True, True),
    ("Python multiprocessing", Python, "", {}, True, True),
    ("POSIX semaphore", Program, "posix", {}, True, False),
    ("glibc robust mutex", Program, "posix", {"POSIX_ROBUST": "1"}, True, False),
    ("boost.interprocess", Program, "boost", {}, True, True),
    ("cloudtoid-interprocess", Program, "cloudtoid", {}, False, True),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--limit", type=float, default=30)
    parser.add_argument("--only")
    arguments = parser.parse_args()
    random.seed(1)
    print("| killed while | peer | the other hangs | longest stall of those that went on | lost | twice |")
    print("|---|---|---|---|---|---|")
    for what, victim, survivor in (
        ("it holds the lock", "hold", "wait"),
        ("it puts", "produce", "after-producer"),
        ("it gets", "consume", "after-consumer"),
    ):
        for label, kind, program, environment, has_lock, has_queue in PEERS:
            path = os.path.join(arguments.programs, program)
            is_lock = victim == "hold"
            if not (has_lock if is_lock else has_queue) or arguments.only not in (None, label):
                continue
            if program and not os.path.exists(path):
                print(f"skipped {label}: {path} is not built", file=sys.stderr)
                continue
            # A lock hangs or does not: a few rounds are enough.
            rounds = min(arguments.rounds, 3) if is_lock else arguments.rounds
            result = Result()
            done = 0
            for done in range(1, rounds + 1):
                run_round(kind(path, environment), victim, survivor, arguments.limit, result)
                if result.hung == 3:
                    break
            print(f"| {what} | {label} | {describe(result, done, arguments.limit, is_lock)} |", flush=True)


if __name__ == "__main__":
    main()
