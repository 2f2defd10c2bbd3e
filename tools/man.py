#!/usr/bin/env python3
"""Manual pages from include/polyproc.h: man 3 polyproc_queue_put, man 3 polyproc.

    tools/man.py <folder to write> <version> <seconds since 1970 that the pages are dated>
"""

import re
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True

from header import FUNCTION, HEADER, sections, uncomment  # noqa: E402


def escape(text):
    """Text that troff leaves as it is, as one argument too."""
    return text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq").replace("'", "\\(aq")


def line(text):
    """A line of text, which must not begin with a request."""
    text = escape(text)
    return "\\&" + text if text.startswith(".") else text


def prose(lines):
    """A comment's text: indented lines stand as they are."""
    out, is_literal = [], False
    for text in lines:
        literal = text.startswith("  ") or text.startswith("```")
        if literal != is_literal:
            out.append(".nf" if literal else ".fi")
            is_literal = literal
        if text.startswith("```"):
            continue
        out.append(line(re.sub(r"`([^`]*)`", r"\1", text)) if text.strip() else ".PP")
    if is_literal:
        out.append(".fi")
    return out


def head(name, version, date):
    return [f'.TH {name} 3 {date} "polyproc {version}" "polyproc"']


def page(name, returns, parameters, comment, version, date):
    description, arguments, facts = sections(comment)
    sentence = re.match(r"(.*?[.:])(\s|$)", " ".join(description) + " ")
    summary = (sentence.group(1) if sentence else description[0]).rstrip(".:")
    summary = re.sub(r"`([^`]*)`", r"\1", summary)
    out = head(name, version, date)
    out += [".SH NAME", f"{name} \\- {escape(summary[0].lower() + summary[1:])}", ".SH SYNOPSIS", ".nf"]
    signature = re.sub(r"\s+", " ", f"{returns}{name}({parameters});").replace("( ", "(")
    out += [".B #include <polyproc.h>", ".PP", f'.BI "{escape(signature)}"', ".fi", ".SH DESCRIPTION"]
    out += prose(description)
    notes = next((i for i, text in enumerate(facts) if not text.startswith(("Returns", " "))), len(facts))
    for title, part in (("PARAMETERS", arguments), ("RETURN VALUE", facts[:notes]), ("NOTES", facts[notes:])):
        if any(text.strip() for text in part):
            out += [f".SH {title}", ".nf"] + [line(text) for text in part] + [".fi"]
    return out + [".SH SEE ALSO", ".BR polyproc (3)"]


def overview(text, names, version, date):
    # Behind the lines that say where the header comes from.
    opening = text[text.index(" *\n") + 3 : text.index(" */")]
    opening = uncomment(opening)
    out = head("polyproc", version, date)
    out += [".SH NAME", "polyproc \\- queues, locks and processes over shared memory, safe against kill \\-9"]
    out += [".SH SYNOPSIS", ".nf", ".B #include <polyproc.h>", ".PP", "cc program.c $(pkg\\-config \\-\\-cflags \\-\\-libs polyproc)"]
    out += [".fi", ".SH DESCRIPTION", ".nf"] + [line(one) for one in opening] + [".fi", ".SH FUNCTIONS", ".nf"]
    return out + [f".BR {name} (3)" for name in names] + [".fi"]


def main():
    folder, version, date = Path(sys.argv[1]), sys.argv[2], time.strftime("%Y-%m-%d", time.gmtime(int(sys.argv[3])))
    text = HEADER.read_text()
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for comment, returns, name, parameters in FUNCTION.findall(text):
        names.append(name)
        pages = page(name, returns, parameters, comment, version, date)
        (folder / f"{name}.3").write_text("\n".join(pages) + "\n")
    golden = (HEADER.parent.parent / "tests/c/symbols.txt").read_text().split()
    if sorted(names) != sorted(golden):
        sys.exit(f"tools/man.py: no page for {sorted(set(golden) - set(names))}")
    (folder / "polyproc.3").write_text("\n".join(overview(text, names, version, date)) + "\n")


main()
