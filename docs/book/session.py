"""Records what docs/book/command.md shows: the demo's pipeline, workers stopped and killed.

    make docs-session

It prints the session; paste it into the page. The queues of the pipeline get names, and a /dev/shm
of their own, so that nothing else is listed. INPUT=dir counts the headers of another directory.
"""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PIPELINE = ROOT / "examples/headers/pipeline.toml"
POLYPROC = ROOT / "target/cli/polyproc"
ROWS, COLUMNS = 8, 100
# What a terminal understands of what top writes: move to a place, everything else, and text.
PART = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b\[[?\d;]*[a-zA-Z]|\x1b[^\[]|([^\x1b])")


def say(command, output=""):
    print(f"$ {command}\n{output}".rstrip("\n"), flush=True)


def polyproc(*arguments):
    command = [POLYPROC, *arguments]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout
    say(" ".join(["polyproc", *arguments]), output)


def top():
    """Shows the screen of `polyproc top` after its second look."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        time.sleep(0.2)
        os.execv(POLYPROC, ["polyproc", "top", "-n", "2"])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    written = b""
    try:
        while piece := os.read(terminal, 65536):
            written += piece
    except OSError:
        pass  # It has ended.
    os.waitpid(pid, 0)
    # What is written after the screen is left belongs to the shell.
    written = written.decode().split("\x1b[?1049l")[0]
    screen = [[" "] * COLUMNS for _ in range(ROWS)]
    row = column = 0
    for to_row, to_column, text in PART.findall(written):
        if to_row:
            row, column = int(to_row) - 1, int(to_column) - 1
        elif text and text >= " " and row < ROWS and column < COLUMNS:
            screen[row][column] = text
            column += 1
    lines = ["".join(line).rstrip() for line in screen]
    say("polyproc top", "\n".join(line for line in lines if line))


def workers(run):
    """The pids of the running workers."""
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children")
    found = []
    for pid in children.read_text().split():
        try:
            if os.readlink(f"/proc/{pid}/exe").endswith("/worker"):
                found.append(int(pid))
        except OSError:
            pass
    return found


def main():
    text = PIPELINE.read_text()
    for queue in ("jobs", "results"):
        text = text.replace(f"[queue.{queue}]", f'[queue.{queue}]\nname = "{queue}"')
    with tempfile.NamedTemporaryFile("w", suffix=".toml", dir=PIPELINE.parent) as file:
        file.write(text)
        file.flush()
        run = subprocess.Popen(
            [POLYPROC, "run", file.name],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={
                **os.environ,
                "INPUT": os.environ.get("INPUT", "/usr"),
                "PATH": f"{POLYPROC.parent}:{os.environ['PATH']}",
            },
        )
        while len(workers(run)) < 4:
            time.sleep(0.1)
        time.sleep(1)
        polyproc("ls", "-o", "name,kind,waiting,inflight,put/s,get/s,users")
        stopped, killed = workers(run)[:2]
        os.kill(stopped, signal.SIGSTOP)
        say(f"kill -STOP {stopped}")
        os.kill(killed, signal.SIGKILL)
        say(f"kill -9 {killed}")
        time.sleep(1)
        polyproc("stat", "jobs")
        top()
        polyproc("doctor")
        os.kill(stopped, signal.SIGCONT)
        run.send_signal(signal.SIGINT)
        run.wait()
    if run.returncode != 130:
        sys.exit("the pipeline was over too soon: give it a larger INPUT")


if __name__ == "__main__":
    main()
