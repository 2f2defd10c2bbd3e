"""Records what docs/book/command.md shows: the demo's pipeline, workers stopped and killed.

    make docs-session

It prints the session; paste it into the page. The queues of the pipeline get names, and a /dev/shm
of their own, so that nothing else is listed. INPUT=dir counts the headers of another directory.
After LIMIT seconds it gives up, says what it waited for, and ends the pipeline.
"""

import fcntl
import json
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
LIMIT = int(os.environ.get("LIMIT", "300"))
# What a terminal understands of what top writes: move to a place, everything else, and text.
PART = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b\[[?\d;]*[a-zA-Z]|\x1b[^\[]|([^\x1b])")


class Step:
    """The present step of the script, for the error of one that takes too long."""

    name = "the pipeline"


def give_up(number, _frame):
    why = f"still busy after {LIMIT} s" if number == signal.SIGALRM else "ended"
    sys.exit(f"docs-session: {why} with {Step.name}")


def say(command, output=""):
    print(f"$ {command}\n{output}".rstrip("\n"), flush=True)


def polyproc(*arguments):
    command = [POLYPROC, *arguments]
    Step.name = " ".join(["polyproc", *arguments])
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout
    say(Step.name, output)


def top():
    """Shows the screen of `polyproc top` after its second look."""
    Step.name = "polyproc top"
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
    say(Step.name, "\n".join(line for line in lines if line))


def workers(run):
    """The pids of the running workers, which are children of whichever thread has started them."""
    found = []
    for children in Path(f"/proc/{run.pid}/task").glob("*/children"):
        try:
            pids = children.read_text().split()
        except OSError:
            continue  # The thread has ended.
        for pid in pids:
            try:
                if os.readlink(f"/proc/{pid}/exe").endswith("/worker"):
                    found.append(int(pid))
            except OSError:
                pass
    return found


def wait_until(what, is_so, run, errors):
    Step.name = what
    while not is_so():
        if run.poll() is not None:
            errors.seek(0)
            why = errors.read().decode(errors="replace")
            sys.exit(f"docs-session: the pipeline was over before: {what}\n{why}".rstrip())
        time.sleep(0.1)


def jobs():
    """The fields of `polyproc stat jobs --json`, {} if there is no such queue."""
    command = [POLYPROC, "stat", "jobs", "--json"]
    output = subprocess.run(command, capture_output=True, check=False).stdout
    return json.loads(output or "{}")


def stop_one_that_holds_a_message(run):
    """Stops a worker. One that had nothing at that moment goes on."""
    while True:
        for pid in workers(run):
            os.kill(pid, signal.SIGSTOP)
            for one in jobs().get("participants", []):
                if one["pid"] == pid and one["holds"]["messages"] > 0:
                    return pid
            os.kill(pid, signal.SIGCONT)


def end(run):
    """Ends the pipeline as Ctrl-C does. If `run` is killed, the kernel kills its processes."""
    run.send_signal(signal.SIGINT)
    try:
        run.wait(timeout=30)
    except subprocess.TimeoutExpired:
        run.kill()
        run.wait()


def show(run, errors):
    def all_are_there():
        """Whether four workers and one `polyproc put` have opened the queue."""
        return len(jobs().get("participants", [])) == 5

    wait_until("four workers", all_are_there, run, errors)
    wait_until("a thousand files", lambda: jobs().get("gets", 0) > 1000, run, errors)
    polyproc("ls", "-o", "name,kind,waiting,inflight,put/s,get/s,users")
    Step.name = "stopping a worker that holds a message"
    stopped = stop_one_that_holds_a_message(run)
    try:
        say(f"kill -STOP {stopped}")
        killed = next(pid for pid in workers(run) if pid != stopped)
        os.kill(killed, signal.SIGKILL)
        say(f"kill -9 {killed}")
        time.sleep(1)
        wait_until("four workers again", all_are_there, run, errors)
        polyproc("stat", "jobs")
        top()
        polyproc("doctor")
    finally:
        os.kill(stopped, signal.SIGCONT)


def main():
    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, give_up)
    signal.alarm(LIMIT)
    text = PIPELINE.read_text()
    for queue in ("jobs", "results"):
        text = text.replace(f"[queue.{queue}]", f'[queue.{queue}]\nname = "{queue}"')
    with (
        tempfile.NamedTemporaryFile("w", suffix=".toml", dir=PIPELINE.parent) as file,
        tempfile.TemporaryFile() as errors,
    ):
        file.write(text)
        file.flush()
        run = subprocess.Popen(
            [POLYPROC, "run", file.name],
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env={
                **os.environ,
                "INPUT": os.environ.get("INPUT", "/usr"),
                "PATH": f"{POLYPROC.parent}:{os.environ['PATH']}",
            },
        )
        try:
            show(run, errors)
        finally:
            end(run)
    if run.returncode != 130:
        sys.exit("docs-session: the pipeline was over too soon: give it a larger INPUT")


if __name__ == "__main__":
    main()
