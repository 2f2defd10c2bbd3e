"""A preprocessor of mdBook.

`{{#page ../../ARCHITECTURE.md}}` takes a page of the repository into a chapter, with its relative
links as they are right for the chapter. A link to a page that a chapter takes in leads to that
chapter. A link to another file of the repository leads to a copy of the file in `source/`: their
names are written to build/docs/sources, and `make docs` copies them. A link to a folder becomes
plain text, because a site of plain files has no page for a folder.

`{{#c Queue}}` and `{{#cpp queue}}` stand for a part of a header: see reference.py.

A paragraph that begins with `> In the sources: ` tells a reader of the sources where the text of
the page is, and is left out of the book.
"""

import json
import os
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import reference  # noqa: E402

BOOK = Path(__file__).resolve().parent
ROOT = BOOK.parent.parent
SOURCES = ROOT / "build/docs/sources"

PAGE = re.compile(r"^\{\{#page (\S+)\}\}$", re.MULTILINE)
HEADER = re.compile(r"^\{\{#(c|cpp) ([^}]+)\}\}$", re.MULTILINE)
NOTE = re.compile(r"^> In the sources: (?:.*\n)+?(?:\n|\Z)", re.MULTILINE)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
CODE = re.compile(r"^```.*?^```$|`[^`\n]+`(?!\])", re.MULTILINE | re.DOTALL)


def chapters(items):
    for item in items:
        chapter = item.get("Chapter") if isinstance(item, dict) else None
        if chapter:
            if chapter["path"]:
                yield chapter
            yield from chapters(chapter["sub_items"])


def outside_code(text, change):
    """Applies a change to everything but code."""
    parts, at = [], 0
    for code in CODE.finditer(text):
        parts += [change(text[at : code.start()]), code.group()]
        at = code.end()
    return "".join(parts) + change(text[at:])


class Links:
    """Mends the links of a text that was written for `file` and is read in `chapter`."""

    def __init__(self, file, chapter, homes, sources):
        self.file, self.chapter, self.homes, self.sources = file, chapter, homes, sources

    def mend(self, match):
        image, text, target = match.groups()
        if re.match(r"[a-z]+:|#|rust/", target):  # rust/: `make docs` writes it
            return match.group()
        path, _, anchor = target.partition("#")
        found = Path(os.path.normpath(self.file.parent / path))
        if found.is_dir():
            return text
        if not found.is_file():
            raise SystemExit(f"{self.file.relative_to(ROOT)}: there is no {path}")
        if found in self.homes:
            found = self.homes[found]
        elif not found.is_relative_to(BOOK):
            source = found.relative_to(ROOT)
            self.sources.add(str(source))
            found = BOOK / "source" / source
        relative = os.path.relpath(found, self.chapter.parent)
        return f"{image}[{text}]({relative}{'#' * bool(anchor)}{anchor})"

    def __call__(self, text):
        return outside_code(text, lambda part: LINK.sub(self.mend, part))


def main():
    if sys.argv[1:2] == ["supports"]:
        return
    _, book = json.load(sys.stdin)
    pages = list(chapters(book["items"]))
    for chapter in pages:
        chapter["content"] = NOTE.sub("", chapter["content"])
    homes = {}
    for chapter in pages:
        here = BOOK / chapter["path"]
        homes[here] = here
        for match in PAGE.finditer(chapter["content"]):
            homes[(here.parent / match[1]).resolve()] = here
    c, cpp = reference.C(), reference.Cpp()
    for chapter in pages:
        for language, names in HEADER.findall(chapter["content"]):
            if language == "c":
                c.name(names)
    for chapter in pages:
        for language, names in HEADER.findall(chapter["content"]):
            if language == "c":
                c.take(names, BOOK / chapter["path"])
            else:
                cpp.take(names.split())
    c.check()
    cpp.check()
    sources = set()
    for chapter in pages:
        here = BOOK / chapter["path"]

        def take_in(match, here=here):
            file = (here.parent / match[1]).resolve()
            return Links(file, here, homes, sources)(file.read_text()).rstrip()

        def declare(match, here=here):
            return c.render(match[2], here) if match[1] == "c" else cpp.render(match[2].split())

        own = Links(here, here, homes, sources)(chapter["content"])
        chapter["content"] = HEADER.sub(declare, PAGE.sub(take_in, own))
    SOURCES.parent.mkdir(parents=True, exist_ok=True)
    SOURCES.write_text("".join(f"{name}\n" for name in sorted(sources)))
    json.dump(book, sys.stdout)


if __name__ == "__main__":
    main()
