"""Causes some errors, and prints their messages: the book's "When something is wrong" has each."""

from polyproc import Lock, Queue, unlink


def fail(make):
    try:
        make()
    except (OSError, ValueError) as error:
        print(error.strerror if isinstance(error, OSError) and error.strerror else error)


name = "book.jobs"
fail(lambda: Queue.open(name))
jobs = Queue(1, name=name, create=True, format="bytes")
fail(lambda: Queue(1, name=name, create=True, format="bytes"))
fail(lambda: Lock(name, create=True, exist_ok=True))
fail(lambda: Queue(2, name=name, create=True, exist_ok=True, format="bytes"))
fail(lambda: Queue(1, name=name, create=True, exist_ok=True))
fail(lambda: Queue(1, name=name, create=True, exist_ok=True, format="bytes", joinable=True))
fail(lambda: Queue(name="book/jobs", create=True))
unlink(name)
