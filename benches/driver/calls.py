"""The cost of single calls, by each language's own tool: docs/book/performance/calls.md, and Go's
benchstat output."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "docs/book/performance"
GO_COUNT = 6  # benchstat wants that many for its intervals
HEAD = """# What single calls cost

Written by `make bench-calls`: in one process, alone with the object unless the name says otherwise. Batches are of 32 messages, of 64 bytes
where no size is given.
"""


def run(command, folder, env=None):
    """What it prints; its progress goes to ours."""
    print("+", *command, file=sys.stderr)
    done = subprocess.run(command, cwd=ROOT / folder, env=os.environ | (env or {}), stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def rust():
    command = ["cargo", "bench", "--locked", "--quiet", "--target-dir", str(ROOT / "build/bench/calls")]
    text = run([*command, "--bench", "rust", "--bench", "c", "--", "--output-format", "bencher"], "benches/calls")
    rows = re.findall(r"^test (.*) \.\.\. bench: +([\d,]+) ns/iter \(\+/- ([\d,]+)\)$", text, re.MULTILINE)
    yield "| | ns | +/- |\n|---|---|---|"
    for name, ns, deviation in rows:
        yield f"| {name} | {ns} | {deviation} |"


def go():
    text = run(["go", "test", "-run", "^$", "-bench", ".", "-benchtime", "200ms", "-count", str(GO_COUNT), "."], "bindings/go")
    (OUT / "calls-go.txt").write_text(text)
    tool = ["go", "tool", "-modfile=tools/go.mod", "benchstat", "../../docs/book/performance/calls-go.txt"]
    yield "```text\n" + run(tool, "bindings/go").strip() + "\n```"


def node():
    text = run(["npm", "run", "--silent", "bench"], "bindings/node", {"NO_COLOR": "1"})
    yield "```text\n" + re.sub(r"\x1b\[[0-9;]*m", "", text).strip() + "\n```"


def python():
    text = run([str(ROOT / "build/python/venv/bin/python"), "bench.py", "--calls"], "benches/python")
    yield "```text\n" + text.strip() + "\n```"


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    parts = (
        ("Rust and C (criterion)", rust),
        (f"Go (`go test -bench`, {GO_COUNT} times, with benchstat; the runs are in [calls-go.txt](calls-go.txt))", go),
        ("Node (mitata)", node),
        ("Python", python),
    )
    text = HEAD
    for title, part in parts:
        text += f"\n## {title}\n\n" + "\n".join(part()) + "\n"
    (OUT / "calls.md").write_text(text)


if __name__ == "__main__":
    main()
