"""An event is a flag that one process sets and any number of others wait for."""

import sys
import time
from functools import partial

from polyproc import Event, Process

SECOND = int(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 1.0
print = partial(print, flush=True)


def child(event):
    time.sleep(SECOND)
    print("child sets the event")
    event.set()


if __name__ == "__main__":
    event = Event()
    print(f"is_set: {str(event.is_set()).lower()}")
    print("look here!")
    setter = Process(target=child, args=(event,))
    setter.start()
    event.wait()
    print("give me!!")
    print(f"is_set: {str(event.is_set()).lower()}")
    setter.join()
