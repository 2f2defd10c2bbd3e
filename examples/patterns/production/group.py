from polyproc import Queue

reports = Queue(name="book.reports", create=True, exist_ok=True, mode=0o660, format="bytes")
reports.put(b"from Python")
print(reports.qsize(), "waiting")
