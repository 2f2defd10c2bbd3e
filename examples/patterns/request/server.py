import sys
import time

from polyproc import Queue, ShutDown

seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 0
requests = Queue(name="book.requests", create=True, exist_ok=True, joinable=True, format="msgpack")
try:
    while True:
        with requests.take() as request:
            reply_to, number, text = request.value
            print("request", number)
            time.sleep(seconds)  # killed here: another server answers
            try:
                Queue.open(reply_to).put([number, text.upper()])
            except FileNotFoundError:
                print(f"{reply_to} is gone")  # the client left, and nobody wants the answer
except ShutDown:
    pass
