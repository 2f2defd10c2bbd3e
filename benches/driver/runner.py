"""Runs one program of the benchmarks."""

import json
import os
import signal
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "build/bench/peers"
SCRIPTS = ROOT / "benches/peers"
INTERPRETERS = {".py": ROOT / "build/bench/venv/bin/python", ".mjs": "node"}
TIMEOUT = 60


def command_of(way):
    interpreter = INTERPRETERS.get(Path(way.program).suffix)
    return [str(interpreter), str(SCRIPTS / way.program)] if interpreter else [str(PROGRAMS / way.program)]


def run_program(way, case):
    """Returns the figures of one run, or the reason why there are none."""
    command = [*command_of(way), case.workload, f"mode={way.mode}", *case.args]
    # In a session of its own, so that all its processes can be ended together.
    program = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        out, errors = program.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return None, f"not done within {TIMEOUT} s"
    finally:
        end_all_of(program)
    if program.returncode != 0:
        return None, (errors.strip().splitlines() or [f"status {program.returncode}"])[0]
    return json.loads(out), None


def end_all_of(program):
    try:
        os.killpg(program.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    program.wait()


def limits(*args):
    done = subprocess.run([str(PROGRAMS / "limits"), *args], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)
