"""polyproc beside Python's multiprocessing, in one run: `make bench-python`.

Each line is measured with one library and then with the other, several times in turn. The table
has the medians, and of the ratios of the pairs the median, the smallest and the greatest.
"""

import argparse
import multiprocessing
import statistics
import time
from functools import partial

import numpy
import polyproc

SMALL = {"id": 12345, "name": "a small dict", "ok": True, "ratio": 0.5}
ARRAY = numpy.arange(131072, dtype=numpy.float64)


def put_all(queue, message, count, ready):
    ready.wait()
    for _ in range(count):
        queue.put(message)


def queue(library, message, count):
    """Messages a second, from one process to another."""
    queue, ready = library.Queue(1024), library.Event()
    producer = library.Process(target=put_all, args=(queue, message, count, ready))
    producer.start()
    get = queue.get
    ready.set()
    get()
    begin = time.perf_counter()
    for _ in range(count - 1):
        get()
    took = time.perf_counter() - begin
    producer.join()
    return (count - 1) / took


def array(library, _, count):
    """Arrays of 1 MiB a second, each summed up by the consumer in place (polyproc: take)."""
    queue, ready = library.Queue(16), library.Event()
    producer = library.Process(target=put_all, args=(queue, ARRAY, count, ready))
    producer.start()
    ready.set()
    begin = time.perf_counter()
    for _ in range(count):
        if library is polyproc:
            with queue.take() as message:
                last = message.value[-1]
        else:
            last = queue.get()[-1]
        assert last == 131071
    took = time.perf_counter() - begin
    producer.join()
    return count / took


def work(number):
    return number


def apply_async(library, _, count):
    """Tasks a second, each one message."""
    with library.Pool(2) as pool:
        pool.map(work, range(10))
        begin = time.perf_counter()
        results = [pool.apply_async(work, (number,)) for number in range(count)]
        for result in results:
            result.get()
        return count / (time.perf_counter() - begin)


def map_chunked(library, _, count):
    """Items a second of a map with its own chunks."""
    with library.Pool(2) as pool:
        pool.map(work, range(10))
        begin = time.perf_counter()
        pool.map(work, range(count))
        return count / (time.perf_counter() - begin)


def apply_one(library, _, count):
    """Tasks a second, one after the other."""
    with library.Pool(2) as pool:
        begin = time.perf_counter()
        for number in range(count):
            pool.apply(work, (number,))
        return count / (time.perf_counter() - begin)


def lock(library, _, count):
    """Pairs of acquire and release a second, without contention."""
    lock = library.Lock()
    acquire, release = lock.acquire, lock.release
    begin = time.perf_counter()
    for _ in range(count):
        acquire()
        release()
    return count / (time.perf_counter() - begin)


#: Name, what is measured, its message, how often, and the ratio to reach.
LINES = [
    ("Queue.put/get of 64 bytes", queue, b"x" * 64, 200_000, 20),
    ("Queue.put/get of a small dict", queue, SMALL, 100_000, 8),
    ("an array of 1 MiB by take", array, None, 500, 10),
    ("Pool.apply_async", apply_async, None, 20_000, 5),
    ("Pool.map", map_chunked, None, 1_000_000, 2),
    ("Pool.apply, one after the other", apply_one, None, 3_000, 1),
    ("Lock.acquire and release", lock, None, 500_000, 1),
]


def calls():
    """The cost of single calls in one process, in nanoseconds: the least of several rounds."""
    queue, values = polyproc.Queue(), polyproc.Queue(format="msgpack")
    plain = polyproc.Queue(format="bytes")
    lock, semaphore, event = polyproc.Lock(), polyproc.Semaphore(), polyproc.Event()
    message, (one, other) = b"x" * 64, polyproc.Pipe()
    batch = [message] * 32

    def put_get(queue, message):
        queue.put(message)
        queue.get()

    def take_done():
        plain.put(message)
        plain.take().done()

    def many():
        plain.put_many(batch)
        plain.get_many(32)

    def pair(acquire, release):
        acquire()
        release()

    def send_recv():
        one.send_bytes(message)
        other.recv_bytes()

    lines = [
        ("put + get, 64 bytes, bytes", partial(put_get, plain, message), 1),
        ("put + get, 64 bytes, pickle", partial(put_get, queue, message), 1),
        ("put + get, a small dict, pickle", partial(put_get, queue, SMALL), 1),
        ("put + get, a small dict, msgpack", partial(put_get, values, SMALL), 1),
        ("put + take + done, 64 bytes", take_done, 1),
        ("put_many + get_many, each of 32", many, 32),
        ("send_bytes + recv_bytes, 64 bytes", send_recv, 1),
        ("lock: acquire + release", partial(pair, lock.acquire, lock.release), 1),
        ("semaphore: acquire + release", partial(pair, semaphore.acquire, semaphore.release), 1),
        ("event: is_set", event.is_set, 1),
    ]
    for name, call, parts in lines:
        count, least = 20_000 // parts, float("inf")
        for _ in range(7):
            begin = time.perf_counter()
            for _ in range(count):
                call()
            least = min(least, (time.perf_counter() - begin) / count)
        print(f"{name:<34}{least / parts * 1e9:8.0f} ns")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="fewer messages, for a look")
    parser.add_argument("--only", default="", help="lines whose name has this")
    parser.add_argument("--calls", action="store_true", help="single calls only")
    options = parser.parse_args()
    if options.calls:
        calls()
        return
    columns = f"{'multiprocessing':>16}{'polyproc':>14}   ratio, least, most     goal"
    print(f"{'a second':<34}{columns}")
    for name, measure, message, count, goal in LINES:
        if options.only not in name:
            continue
        count = max(10, int(count * options.scale))
        theirs, ours = [], []
        for _ in range(options.repeat):
            theirs.append(measure(multiprocessing, message, count))
            ours.append(measure(polyproc, message, count))
        ratios = [our / their for our, their in zip(ours, theirs)]
        print(
            f"{name:<34}{statistics.median(theirs):>16,.0f}{statistics.median(ours):>14,.0f}"
            f"   {statistics.median(ratios):5.1f} x {min(ratios):5.1f} {max(ratios):5.1f}"
            f"   >= {goal} x",
            flush=True,
        )
    if not options.only:
        print("\nsingle calls in one process")
        calls()


if __name__ == "__main__":
    main()
