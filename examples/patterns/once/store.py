import sqlite3
import sys
import time

from polyproc import Queue, ShutDown

pause = float(sys.argv[2]) if len(sys.argv) > 2 else 0
payments = Queue(name="book.payments", create=True, exist_ok=True, joinable=True, format="msgpack")
books = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
books.execute("CREATE TABLE IF NOT EXISTS paid (id TEXT PRIMARY KEY, amount INTEGER)")
try:
    while True:
        with payments.take() as payment:
            key, amount = payment.value
            # The id and the effect are stored in one step: the second time nothing changes.
            row = books.execute("INSERT OR IGNORE INTO paid VALUES (?, ?)", (key, amount))
            print(key, "is paid" if row.rowcount else "was paid before")
            time.sleep(pause)  # killed here: the payment comes again
except ShutDown:
    pass
