import time

from polyproc import Queue

jobs = Queue(name="book.jobs", create=True, exist_ok=True, joinable=True, format="bytes")
while True:
    now = jobs.info()
    done = now.puts - now.unfinished
    print(f"{done} done, {now.in_flight} in flight, {now.items} waiting, {now.redelivered} again")
    if now.shutdown:
        break
    time.sleep(0.2)
