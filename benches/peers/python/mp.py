"""Python's multiprocessing, and faster-fifo: the harness's workloads and its line of JSON.

Modes: queue, joinable, simple, pipe, fifo (faster-fifo), fifo-many (its batches); lock, semaphore; event. The first
and the last word of each message are checked, and the sum of all.
"""

import ctypes
import json
import multiprocessing
import os
import struct
import sys
import time

mp = multiprocessing.get_context("fork")
WORD = struct.Struct("<Q")
MIX = 0x9E3779B97F4A7C15
BATCH = 32
MAX_PROCESSES = 64


class Channel:
    """put and get of bytes; get_many gives a list."""

    def __init__(self, mode, capacity, size):
        if mode in ("fifo", "fifo-many"):
            import faster_fifo

            # Its size is in bytes: messages are pickled, with a length before each.
            fifo = faster_fifo.Queue(max_size_bytes=capacity * (size + 64))
            self.put = lambda item: fifo.put(item, timeout=60)
            self.put_many = lambda items: fifo.put_many(items, timeout=60)
            self.get = lambda: fifo.get(timeout=60)
            self.get_many = lambda: fifo.get_many(timeout=60, max_messages_to_get=BATCH)
        elif mode == "pipe":
            reader, writer = mp.Pipe(duplex=False)
            self.put, self.get = writer.send_bytes, reader.recv_bytes
        elif mode == "simple":
            queue = mp.SimpleQueue()
            self.put, self.get = queue.put, queue.get
        elif mode == "joinable":
            queue = mp.JoinableQueue(capacity)
            self.put = queue.put

            def get():
                item = queue.get()
                queue.task_done()
                return item

            self.get = get
        elif mode == "queue":
            queue = mp.Queue(capacity)
            self.put, self.get = queue.put, queue.get
        else:
            sys.exit(f"no mode {mode}")


class Figures:
    """In shared memory, a slot for each process."""

    def __init__(self):
        self.sent, self.received, self.sums = (mp.RawArray(ctypes.c_uint64, MAX_PROCESSES) for _ in range(3))
        self.stop = mp.RawValue(ctypes.c_int, 0)


def pin(run, which):
    if run["pinned"]:
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[which]})


def start(target, *args):
    process = mp.Process(target=target, args=args, daemon=True)
    process.start()
    return process


def message(size, tag):
    first, last = WORD.pack(tag), WORD.pack((tag + MIX) & (2**64 - 1))
    return first if size == 8 else first + bytes(size - 16) + last


def produce(run, channel, figures, index):
    pin(run, 0)
    size, many, tag, sent = run["size"], run["mode"] == "fifo-many", index << 48, 0
    while not figures.stop.value:
        if many:
            channel.put_many([message(size, tag + i + 1) for i in range(BATCH)])
            tag += BATCH
            sent += BATCH
        else:
            tag += 1
            channel.put(message(size, tag))
            sent += 1
        figures.sent[index] = sent
    # A Queue has a thread that still sends: stay until this process is killed.
    time.sleep(60)


def consume(run, channel, figures, index):
    pin(run, 1)
    size, many, received, total = run["size"], run["mode"] == "fifo-many", 0, 0
    while True:
        for item in channel.get_many() if many else (channel.get(),):
            (tag,) = WORD.unpack_from(item)
            if len(item) != size or size > 8 and WORD.unpack_from(item, size - 8)[0] != (tag + MIX) & (2**64 - 1):
                os.abort()
            total += tag
            received += 1
        figures.sums[index] = total & (2**64 - 1)
        figures.received[index] = received


def stream(run):
    channel, figures = Channel(run["mode"], run["capacity"], run["size"]), Figures()
    consumers = [start(consume, run, channel, figures, i) for i in range(run["consumers"])]
    producers = [start(produce, run, channel, figures, i) for i in range(run["producers"])]
    time.sleep(run["warm"] / 1000)
    before, began = list(figures.received), time.monotonic()
    time.sleep(run["ms"] / 1000)
    counts = [after - b for after, b in zip(figures.received, before)]
    rate = sum(counts) / (time.monotonic() - began)
    figures.stop.value = 1
    deadline, settled = time.monotonic() + 20, 0
    while settled < 3:
        time.sleep(0.02)
        settled = settled + 1 if sum(figures.sent) == sum(figures.received) else 0
        if time.monotonic() > deadline or not all(process.is_alive() for process in consumers):
            sys.exit(f"sent {sum(figures.sent)}, received {sum(figures.received)}")
    expected = sum((i << 48) * n + n * (n + 1) // 2 for i, n in enumerate(figures.sent))
    if expected & (2**64 - 1) != sum(figures.sums) & (2**64 - 1):
        sys.exit("wrong messages")
    for process in producers + consumers:
        process.kill()
    return {"rate": rate, "largest_share": max(counts) * run["consumers"] / max(1, sum(counts))}


def percentiles(times):
    times.sort()
    names = {"min_ns": 0, "p50_ns": 0.5, "p90_ns": 0.9, "p99_ns": 0.99, "p99_9_ns": 0.999, "p99_99_ns": 0.9999}
    figures = {name: times[int(part * (len(times) - 1))] for name, part in names.items()}
    return {"rounds": len(times), **figures, "max_ns": times[-1]}


def answer(run, there, back):
    pin(run, 1)
    while True:
        back.put(there.get())


def ping_pong(run):
    there, back = (Channel(run["mode"], run["capacity"], run["size"]) for _ in range(2))
    other = start(answer, run, there, back)
    pin(run, 0)
    times, item = [], message(run["size"], 1)
    measured = time.monotonic_ns() + run["warm"] * 1_000_000
    end = measured + run["ms"] * 1_000_000
    while (now := time.monotonic_ns()) < end:
        if run["gap"]:
            time.sleep(run["gap"] / 1e6)
        began = time.perf_counter_ns()
        there.put(item)
        if back.get() != item:
            sys.exit("another answer")
        if now >= measured:
            times.append(time.perf_counter_ns() - began)
    other.kill()
    return percentiles(times)


def hold_and_release(run, lock, guarded, figures, index):
    pin(run, index)
    acquire, release = lock.acquire, lock.release
    rounds = range(64)
    while not figures.stop.value:
        for _ in rounds:
            acquire()
            release()
        with lock:
            guarded.value += 1
        figures.received[index] += 1
    figures.sent[index] = 1


def lock(run):
    taken, guarded, figures = mp.Lock() if run["mode"] == "lock" else mp.Semaphore(1), mp.RawValue("Q", 0), Figures()
    n = run["producers"]
    processes = [start(hold_and_release, run, taken, guarded, figures, i) for i in range(n)]
    time.sleep(run["warm"] / 1000)
    before, began = sum(figures.received), time.monotonic_ns()
    time.sleep(run["ms"] / 1000)
    ns = (time.monotonic_ns() - began) / (65 * max(1, sum(figures.received) - before))
    figures.stop.value = 1
    for process in processes:
        process.join()
    if guarded.value != sum(figures.received):
        sys.exit("the lock let two in")
    return {"ns": ns}


def wait_for_event(run, event, began, times, done):
    pin(run, 1)
    for i in range(len(times)):
        event.wait()
        times[i] = time.perf_counter_ns() - began.value
        event.clear()
        done.value = i + 1


def event(run):
    flag, began, done = mp.Event(), mp.RawValue("q", 0), mp.RawValue("q", 0)
    times = mp.RawArray("q", max(10, run["ms"] // 2))
    waiter = start(wait_for_event, run, flag, began, times, done)
    pin(run, 0)
    for i in range(len(times)):
        time.sleep(0.001)
        began.value = time.perf_counter_ns()
        flag.set()
        while done.value <= i:
            time.sleep(0.00005)
    waiter.join()
    return percentiles(list(times))


def nothing():
    pass


def spawn(run):
    times, end = [], time.monotonic() + run["ms"] / 1000
    while time.monotonic() < end:
        began = time.perf_counter_ns()
        process = multiprocessing.get_context(run["mode"]).Process(target=nothing)
        process.start()
        process.join()
        times.append(time.perf_counter_ns() - began)
    return percentiles(times)


WORKLOADS = {"stream": stream, "pingpong": ping_pong, "lock": lock, "event": event, "spawn": spawn}


def main():
    run = {"mode": "queue", "size": 64, "capacity": 1024, "producers": 1, "consumers": 1, "warm": 50, "ms": 250, "gap": 0}
    for arg in sys.argv[2:]:
        name, value = arg.split("=")
        run[name] = value if name == "mode" else int(value)
    workload = sys.argv[1]
    processes = run["producers"] if workload == "lock" else run["producers"] + run["consumers"]
    run["pinned"] = processes <= 2
    figures = WORKLOADS[workload](run)
    print(json.dumps({"peer": "python", "mode": run["mode"], "workload": workload, **figures}))


if __name__ == "__main__":
    main()
