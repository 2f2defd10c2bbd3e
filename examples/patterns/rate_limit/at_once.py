import sys
import time

from polyproc import BoundedSemaphore

seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1
rooms = BoundedSemaphore(2, name="book.rooms", create=True, exist_ok=True, owned=True)
with rooms:  # at most two processes are in this block
    print("inside")
    time.sleep(seconds)  # killed here: the permit comes back
