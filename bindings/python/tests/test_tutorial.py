"""The tutorial's programs are those of multiprocessing, with nothing but the import changed."""

import importlib
import pathlib
import re
import unittest

TUTORIAL = pathlib.Path(__file__).resolve().parents[3] / "examples/tutorial"

#: Programs that need more than multiprocessing has, and what.
BEYOND = {"many_to_many": {"ShutDown"}}

IMPORT = re.compile(r"from (polyproc[\w.]*) import ([\w, ]+)")


class Tutorial(unittest.TestCase):
    def test_the_diff_to_multiprocessing_is_the_import(self):
        programs = sorted(TUTORIAL.glob("*/main.py"))
        self.assertEqual(len(programs), 21)
        for program in programs:
            with self.subTest(program.parent.name):
                lines = program.read_text().splitlines()
                different = [line for line in lines if "polyproc" in line]
                self.assertTrue(different)
                imports = [IMPORT.fullmatch(line) for line in different]
                self.assertNotIn(None, imports, different)
                self.check_names(program.parent.name, imports)

    def check_names(self, program, imports):
        missing = set()
        for found in imports:
            python = importlib.import_module(found[1].replace("polyproc", "multiprocessing"))
            missing |= {name for name in found[2].split(", ") if not hasattr(python, name)}
        self.assertEqual(missing, BEYOND.get(program, set()))


if __name__ == "__main__":
    unittest.main()
