from polyproc import Queue, unlink

jobs = Queue(name="book.pages", create=True, exist_ok=True, joinable=True, format="bytes")
for page in range(1, 101):
    jobs.put(b"page %d" % page)
jobs.join()  # until each page is done, whoever is killed meanwhile
print("done, of which again:", jobs.info().redelivered)
jobs.shutdown()  # ends the loops of the workers
unlink("book.pages")
