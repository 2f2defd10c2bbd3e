from polyproc import Queue, unlink

payments = Queue(name="book.payments", create=True, exist_ok=True, joinable=True, format="msgpack")
for number in range(1, 6):
    payments.put([f"order-{number}", 10 * number])
payments.join()
print("all is paid")
payments.shutdown()
unlink("book.payments")
