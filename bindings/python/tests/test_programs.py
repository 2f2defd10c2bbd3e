"""Programs over multiprocessing print the same with nothing but the import changed."""

import multiprocessing
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import polyproc.multiprocessing
from support import DEADLINE

PROGRAMS = pathlib.Path(__file__).with_name("programs")


def with_the_import_changed(source):
    source = re.sub(r"^(\s*)import multiprocessing as", r"\1import polyproc as", source, flags=re.M)
    source = re.sub(r"^(\s*)from multiprocessing", r"\1from polyproc", source, flags=re.M)
    return source.replace("from concurrent.futures.process import", "from polyproc import")


def run(source, directory):
    program = pathlib.Path(directory) / "program.py"
    program.write_text(source)
    ended = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", str(program)],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    return ended.returncode, ended.stdout, ended.stderr


class Programs(unittest.TestCase):
    maxDiff = None

    def test_every_name_of_multiprocessing_is_there(self):
        for module in (polyproc, polyproc.multiprocessing):
            missing = [name for name in multiprocessing.__all__ if not hasattr(module, name)]
            self.assertEqual(missing, [], module)

    def test_the_output_is_that_of_multiprocessing(self):
        programs = sorted(PROGRAMS.glob("*.py"))
        self.assertEqual(len(programs), 9)
        for program in programs:
            with self.subTest(program.name), tempfile.TemporaryDirectory() as directory:
                source = program.read_text()
                changed = with_the_import_changed(source)
                self.assertNotIn("multiprocessing", changed.split('"""', 2)[2])
                code, out, err = run(source, directory)
                self.assertEqual(code, 0, err)
                ours = run(changed, directory)
                self.assertEqual(ours[1], out, ours[2])
                self.assertEqual(ours[0], code, ours[2])


if __name__ == "__main__":
    unittest.main()
