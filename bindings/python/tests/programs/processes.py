"""Processes: subclasses, ends, signals, children."""

import os
import signal
import sys
import time
from multiprocessing import Event, Pipe, Process, active_children, current_process, parent_process
from multiprocessing.connection import wait


class Worker(Process):
    def __init__(self, conn, number):
        super().__init__(name=f"worker-{number}")
        self.conn = conn
        self.number = number

    def run(self):
        self.conn.send((self.name, self.number, current_process().name, self.daemon))
        self.conn.close()


def leave(code):
    sys.exit(code)


def fail():
    raise KeyError("fails")


def sleep(ready):
    ready.set()
    time.sleep(3600)


def family(conn):
    conn.send((parent_process().pid == os.getppid(), parent_process().is_alive()))


def ended(target, *args):
    process = Process(target=target, args=args)
    process.start()
    process.join()
    return process.exitcode


if __name__ == "__main__":
    for number in range(2):
        ours, theirs = Pipe(duplex=False)
        worker = Worker(theirs, number)
        print(worker.pid, worker.exitcode, worker.is_alive())
        worker.start()
        theirs.close()
        print(ours.recv())
        try:
            ours.recv()
        except EOFError:
            print("EOFError")
        worker.join()
        print(worker.exitcode, worker.is_alive(), worker.name)
    print([ended(leave, code) for code in (None, 0, 3, "text")], ended(fail))
    ready = Event()
    for end in (Process.terminate, Process.kill):
        ready.clear()
        process = Process(target=sleep, args=(ready,), daemon=True)
        process.start()
        ready.wait()
        print(process in active_children(), process.daemon, wait([process.sentinel], 0))
        end(process)
        print(wait([process.sentinel], 60) == [process.sentinel])
        process.join()
        print(process.exitcode in (-signal.SIGTERM, -signal.SIGKILL), active_children())
        process.close()
        try:
            process.is_alive()
        except ValueError as error:
            print(error)
    ours, theirs = Pipe()
    process = Process(target=family, args=(theirs,))
    process.start()
    print(ours.recv(), ours.poll(0.01), ours.poll())
    process.join(60)
    for wrong in (process.start, lambda: Process(target=fail).join(), lambda: Process(group=1)):
        try:
            wrong()
        except AssertionError as error:
            print("AssertionError", error)
    print(
        current_process().name, parent_process(), repr(Process(name="one")).startswith("<Process")
    )
