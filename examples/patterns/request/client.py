import os

from polyproc import Queue, unlink

requests = Queue(name="book.requests", create=True, exist_ok=True, joinable=True, format="msgpack")
mine = f"book.replies.{os.getpid()}"
replies = Queue(name=mine, create=True, format="msgpack")
try:
    asked = ["who", "what", "when"]
    for number, text in enumerate(asked):
        requests.put([mine, number, text])
    answers = {}  # by number: a request of a killed server may be answered twice
    while len(answers) < len(asked):
        number, text = replies.get()
        answers[number] = text
    for number, text in enumerate(asked):
        print(f"{text}: {answers[number]}")
finally:
    unlink(mine)
