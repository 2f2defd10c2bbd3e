import sys
import time

from polyproc import Queue, ShutDown

pause = float(sys.argv[1]) if len(sys.argv) > 1 else 0.1
how = {"create": True, "exist_ok": True, "format": "msgpack"}
numbers = Queue(name="book.numbers", joinable=True, **how)
squares = Queue(name="book.squares", **how)
try:
    while True:
        with numbers.take() as number:
            squares.put([number.value, number.value**2])
            print("squared", number.value)
            time.sleep(pause)  # killed here: the number comes again, and its square too
except ShutDown:
    pass
