"""Reads include/polyproc.h: the manual pages and the pages of the book are made from it."""

import re
from pathlib import Path

HEADER = Path(__file__).resolve().parent.parent / "include/polyproc.h"
FUNCTION = re.compile(
    r"/\*\*\n((?: \*[^\n]*\n)+?) \*/\n"  # the comment
    r"((?:const )?\w[\w ]*?[ *]+)(polyproc_\w+)\(([^;]*?)\);",  # what it returns, name, parameters
    re.S,
)
FACTS = ("Returns", "Blocks", "Threads", "Since", "Signal-safe")


def uncomment(comment):
    """The lines of a comment, without the stars before them."""
    return [re.sub(r"^ \* ?", "", text) for text in comment.splitlines()]


def sections(comment):
    """The description of a function, its parameters, and the facts behind them."""
    lines = uncomment(comment)
    first = next(
        (i for i, text in enumerate(lines) if re.match(r"(%s) " % "|".join(FACTS), text)),
        len(lines),
    )
    # The parameters are the paragraph before the facts.
    start = first
    while start > 0 and lines[start - 1].strip():
        start -= 1
    if start == first and first > 1:
        before = first - 1
        while before > 0 and lines[before - 1].strip():
            before -= 1
        if re.match(r"\w+(, \w+)*  +\S", lines[before]):
            start = before
    return lines[:start], lines[start:first], lines[first:]
