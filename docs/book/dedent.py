"""A preprocessor of mdBook: takes the common indent from blocks of code that were included from the
middle of a function."""

import json
import re
import sys
import textwrap

BLOCK = re.compile(r"^(```\w[^\n]*\n)(.*?)^```$", re.MULTILINE | re.DOTALL)


def dedent(items):
    for item in items:
        chapter = item.get("Chapter") if isinstance(item, dict) else None
        if chapter:
            content = chapter["content"]
            chapter["content"] = BLOCK.sub(
                lambda found: found[1] + textwrap.dedent(found[2]) + "```", content
            )
            dedent(chapter["sub_items"])


if sys.argv[1:2] != ["supports"]:
    _, book = json.load(sys.stdin)
    dedent(book["items"])
    json.dump(book, sys.stdout)
