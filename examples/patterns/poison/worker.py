import os
import signal

from polyproc import Empty, Queue

how = {"joinable": True, "max_deliveries": 3, "format": "bytes"}
images = Queue(name="book.images", create=True, exist_ok=True, **how)
try:
    while True:
        with images.take(timeout=0.1) as image:
            if image.data == b"broken":  # as if a decoder ran into a bug
                os.kill(os.getpid(), signal.SIGKILL)
            print("decoded", bytes(image.data).decode())
except Empty:
    print("nothing left")
