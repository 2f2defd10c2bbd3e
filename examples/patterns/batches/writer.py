import sys
import time

from polyproc import Queue, ShutDown

pause = float(sys.argv[1]) if len(sys.argv) > 1 else 0
rows = Queue(name="book.rows", create=True, exist_ok=True, joinable=True, format="bytes")
try:
    while True:
        batch = rows.take_many(100)  # waits for the first one only
        print("writes", len(batch))
        time.sleep(pause)  # killed here: the whole batch goes to another writer
        for row in batch:
            row.done()
except ShutDown:
    pass
