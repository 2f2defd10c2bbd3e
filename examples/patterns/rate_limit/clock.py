import sys
import time

from polyproc import Lock, OverReleased, Semaphore

interval = float(sys.argv[1]) if len(sys.argv) > 1 else 0.1
tickets = Semaphore(0, maximum=5, name="book.tickets", create=True, exist_ok=True)
clock = Lock("book.clock", create=True, exist_ok=True)
with clock:  # several may be started: one ticks, and when it dies the next one does
    print("ticks")
    while True:
        time.sleep(interval)
        try:
            tickets.release()
        except OverReleased:
            pass  # 5 tickets wait: nobody needs more
