"""A program that inherits objects by name, from a parent in any language."""

import polyproc
from polyproc import inherited

DEADLINE = 300


def fails(error, *args, **options):
    try:
        inherited(*args, **options)
    except error:
        return True
    return False


def main():
    assert inherited("go", "event").wait(DEADLINE)
    work, lock = inherited("work"), inherited("lock", "lock")
    assert (work.format, work.joinable, work.maxsize, work.name) == ("msgpack", False, 0, None)
    assert lock.locked() and not lock.acquire(False)
    lock.release()
    with inherited("rlock", "rlock") as acquired:
        assert acquired
    assert inherited("permits", "semaphore").acquire(timeout=DEADLINE)
    total = sum(work.get(timeout=DEADLINE))
    inherited("barrier", "barrier").wait(DEADLINE)
    changed = inherited("changed", "condition", lock=inherited("rlock", "rlock"))
    with inherited("pipe", "connection") as pipe:
        pipe.send_bytes(str(total).encode())
        with changed:
            # The parent sends, and notifies then.
            assert changed.wait_for(pipe.poll, DEADLINE)
        assert pipe.recv_bytes() == b"changed"
    assert fails(polyproc.Mismatch, "work", "lock")
    assert fails(FileNotFoundError, "nothing")
    assert fails(ValueError, "work", "dictionary")
    assert fails(TypeError, "changed", "condition")
    assert fails(TypeError, "work", lock=lock)


if __name__ == "__main__":
    main()
