"""The program that type checkers look at uses everything that is public."""

import pathlib
import re
import unittest

import polyproc
from polyproc.connection import Connection
from polyproc.pool import AsyncResult, IMapIterator, Pool
from polyproc.workers import WorkerPool, WorkerTask

PROGRAM = pathlib.Path(__file__).with_name("types") / "everything.py"

CLASSES = [
    polyproc.Barrier, polyproc.Condition, polyproc.Event, polyproc.Lock, polyproc.Message,
    polyproc.MessageState, polyproc.Queue, polyproc.QueueInfo, polyproc.Semaphore, polyproc.Slot,
    AsyncResult, Connection, IMapIterator, Pool, WorkerPool, WorkerTask,
]  # fmt: skip


class Types(unittest.TestCase):
    def test_the_program_uses_every_name(self):
        words = set(re.findall(r"\w+", PROGRAM.read_text()))
        names = {*polyproc.__all__, *(name for each in CLASSES for name in dir(each))}
        public = {name for name in names if not name.startswith("_")}
        self.assertEqual(sorted(public - words), [])


if __name__ == "__main__":
    unittest.main()
