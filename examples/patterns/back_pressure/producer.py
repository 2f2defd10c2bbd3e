from polyproc import Full, Queue

lines = Queue(3, name="book.lines", create=True, exist_ok=True, joinable=True, format="bytes")
for number in range(1, 11):
    while True:
        try:
            lines.put(b"line %d" % number, timeout=0.5)
            break
        except Full:  # nobody reads: the choice is the program's, to wait, to drop or to tell
            print(f"no room for line {number}: the consumers are slow, stopped or dead")
print("10 lines were put")
lines.join()
lines.shutdown()
