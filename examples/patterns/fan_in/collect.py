from polyproc import Queue, unlink

how = {"create": True, "exist_ok": True, "format": "msgpack"}
numbers = Queue(name="book.numbers", joinable=True, **how)
squares = Queue(name="book.squares", **how)

wanted = range(1, 21)
for number in wanted:  # fan out: each number goes to one worker, whichever is free
    numbers.put(number)

found = {}  # fan in
while len(found) < len(wanted):
    number, square = squares.get()
    if number in found:
        print(f"the square of {number} came twice")
    found[number] = square
print(f"the sum of {len(found)} squares is {sum(found.values())}")

numbers.shutdown()
unlink("book.numbers")
unlink("book.squares")
