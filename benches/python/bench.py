"""polyproc beside Python's multiprocessing, in one run: `make bench-python`.

Each line is measured with one library and then with the other, several times in turn. The table
has the medians, and of the ratios of the pairs the median, the smallest and the greatest.
"""

import argparse
import asyncio
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
    plain, values = polyproc.Queue(format="bytes"), polyproc.Queue(format="msgpack")
    pickles, (one, other) = polyproc.Queue(), polyproc.Pipe()
    lock, semaphore, event = polyproc.Lock(), polyproc.Semaphore(), polyproc.Event()

    def put_get(queue, message):
        queue.put(message)
        queue.get()

    def put_take_done(message):
        plain.put(message)
        plain.take().done()

    def reserve_take_done(length):
        plain.reserve(length).commit()
        plain.take().done()

    def many(batch):
        plain.put_many(batch)
        for message in plain.take_many(32):
            message.done()

    def send_recv(message):
        one.send_bytes(message)
        other.recv_bytes()

    def pair(acquire, release):
        acquire()
        release()

    def set_wait_clear():
        event.set()
        event.wait()
        event.clear()

    short = b"x" * 64
    lines = []
    for size in (8, 64, 1024, 65536):
        message = b"x" * size
        batch = [message] * 32
        lines += [
            (f"put + get, {size} bytes", partial(put_get, plain, message), 10_000),
            (
                f"reserve + commit + take + done, {size} bytes",
                partial(reserve_take_done, size),
                5000,
            ),
            (f"put_many + take_many of 32 + done, {size} bytes", partial(many, batch), 500),
        ]
    lines += [
        ("put + take + done, 64 bytes", partial(put_take_done, short), 20_000),
        ("put + get of 64 bytes, pickle", partial(put_get, pickles, short), 20_000),
        ("put + get of a small dict, pickle", partial(put_get, pickles, SMALL), 20_000),
        ("put + get of a small dict, msgpack", partial(put_get, values, SMALL), 20_000),
        ("pipe: send_bytes + recv_bytes, 64 bytes", partial(send_recv, short), 20_000),
        ("lock: acquire + release", partial(pair, lock.acquire, lock.release), 20_000),
        (
            "semaphore: acquire + release",
            partial(pair, semaphore.acquire, semaphore.release),
            20_000,
        ),
        ("event: set + wait + clear", set_wait_clear, 20_000),
    ]
    for name, call, count in lines:
        print_cost(name, least_of_rounds(call, count))
    print_cost("await aput + aget, 64 bytes", asyncio.run(awaited(plain, short)))


def least_of_rounds(call, count):
    least = float("inf")
    for _ in range(7):
        begin = time.perf_counter()
        for _ in range(count):
            call()
        least = min(least, (time.perf_counter() - begin) / count)
    return least


async def awaited(queue, message):
    least, count = float("inf"), 20_000
    for _ in range(7):
        begin = time.perf_counter()
        for _ in range(count):
            await queue.aput(message)
            await queue.aget()
        least = min(least, (time.perf_counter() - begin) / count)
    return least


def print_cost(name, seconds):
    print(f"{name:<50}{seconds * 1e9:10.0f} ns")


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
