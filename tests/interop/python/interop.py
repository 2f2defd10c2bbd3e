"""One side of a pair, as interop.c is: what the messages are is said there.

    interop.py produce|consume QUEUE COUNT SEED
    interop.py work QUEUE COUNT MILLISECONDS    (takes messages, and works so long on each)

The checksum is SHA-256: Python has no FNV that is fast enough.
"""

import hashlib
import sys
import time

import numpy
from polyproc import Queue

LENGTHS = 100_001


def splitmix64(state, count):
    """The first `count` values of the stream that starts at `state`."""
    steps = numpy.arange(1, count + 1, dtype=numpy.uint64)
    z = steps * numpy.uint64(0x9E3779B97F4A7C15) + numpy.uint64(state)
    z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    return z ^ (z >> numpy.uint64(31))


def make_message(seed, index):
    state = (seed + index) % 2**64
    length = int(splitmix64(state, 1)[0]) % LENGTHS
    # The first value was the length, the first 8 bytes are the index.
    words = splitmix64(state, max(1, -(-length // 8)))
    words[0] = index
    return words.astype("<u8").tobytes()[:length]


def produce(queue, count, seed):
    for index in range(count):
        queue.put(make_message(seed, index))


def consume(queue, count, seed):
    checksum = hashlib.sha256()
    for index in range(count):
        message = queue.get()
        if message != make_message(seed, index):
            sys.exit(f"interop.py: message {index} is not what was put")
        checksum.update(message)
    print(f"ok {count} {checksum.hexdigest()}")


def work(queue, count, milliseconds):
    for _ in range(count):
        message = queue.take()
        time.sleep(milliseconds / 1000)
        message.done()


if __name__ == "__main__":
    role, name, count, seed = sys.argv[1:]
    run = {"produce": produce, "consume": consume, "work": work}[role]
    run(Queue.open(name), int(count), int(seed))
