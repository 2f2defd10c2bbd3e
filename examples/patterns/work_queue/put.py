from polyproc import Queue, unlink

jobs = Queue(name="book.jobs", create=True, exist_ok=True, joinable=True, format="bytes")
for number in range(1, 11):
    jobs.put(b"page %d" % number)
jobs.join()  # until each job is done, whoever does it
print(f"10 jobs are done, {jobs.info().redelivered} of them were delivered again")
jobs.shutdown()  # the workers' loops end
unlink("book.jobs")
