"""A karaoke bar with four rooms and thirteen guests: a semaphore lets four in, and the next when
one leaves."""

import sys
import time
from functools import partial

from polyproc import Process, Semaphore

SECOND = int(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 1.0
print = partial(print, flush=True)


def guest(rooms, number):
    with rooms:
        print(f"guest {number} comes in")
        time.sleep(0.5 * SECOND)
        print(f"guest {number} goes out")


if __name__ == "__main__":
    rooms = Semaphore(4)
    guests = [Process(target=guest, args=(rooms, number)) for number in range(13)]
    for process in guests:
        process.start()
    for process in guests:
        process.join()
    print(f"{rooms.get_value()} rooms are free")
