import signal

from polyproc import Queue

signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
queue = Queue(name="book.stop", create=True, exist_ok=True, joinable=True, format="bytes")
try:
    while True:
        with queue.take() as message:
            print("works on", bytes(message.data).decode())
except KeyboardInterrupt:
    print("ends")
