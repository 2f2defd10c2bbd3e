"""A pipe: the child sends a list and closes its end, the parent receives it, then finds the end of
the file."""

import json
from functools import partial

from polyproc import Pipe, Process

print = partial(print, flush=True)


def child(conn):
    message = [42, None, "hello"]
    print(f"child sends {json.dumps(message, separators=(',', ':'))}")
    conn.send(message)
    conn.close()


if __name__ == "__main__":
    parents, childs = Pipe()
    p = Process(target=child, args=(childs,))
    p.start()
    # The end of file comes when no process has the child's end any more, and this one has a
    # copy.
    childs.close()
    print(f"parent gets {json.dumps(parents.recv(), separators=(',', ':'))}")
    try:
        parents.recv()
    except EOFError:
        print("parent finds the end of the file")
    p.join()
    print(f"child exited with {p.exitcode}")
