from polyproc import Queue, unlink

rows = Queue(name="book.rows", create=True, exist_ok=True, joinable=True, format="bytes")
put = rows.put_many(b"row %d" % number for number in range(1000))
rows.join()
print(f"{put} rows are written, {rows.info().redelivered} of them were delivered again")
rows.shutdown()
unlink("book.rows")
