import sys
import time

from polyproc import Queue, ShutDown

seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1  # that a job takes
jobs = Queue(name="book.jobs", create=True, exist_ok=True, joinable=True, format="bytes")
try:
    while True:
        with jobs.take() as job:  # killed in this block: another worker gets the job
            print("begins", bytes(job.data).decode(), flush=True)
            time.sleep(seconds)
            print("ends", bytes(job.data).decode(), flush=True)
except ShutDown:
    pass
