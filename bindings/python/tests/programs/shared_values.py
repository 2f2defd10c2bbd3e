"""Value, Array and shared memory, with their locks."""

import ctypes
from multiprocessing import Array, Lock, Process, RawArray, Value, get_context
from multiprocessing.shared_memory import ShareableList, SharedMemory
from multiprocessing.sharedctypes import Value as AnotherValue


class Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_double), ("y", ctypes.c_double)]


def add(number, numbers, bare, lock, points):
    for _ in range(100):
        with number.get_lock():
            number.value += 1
        with lock:
            bare.value += 2
    for at in range(len(numbers)):
        with numbers.get_lock():
            numbers[at] += at
    for point in points:
        with points.get_lock():
            point.x **= 2


def fill(name, size):
    memory = SharedMemory(name=name)
    memory.buf[:size] = b"x" * size
    memory.close()


def use(ctx):
    number, numbers = ctx.Value("i", 7), ctx.Array("d", range(5))
    lock = ctx.Lock()
    bare = ctx.Value("l", 0, lock=False)
    points = ctx.Array(Point, [(1.5, 2.5), (3.5, 4.5)])
    args = (number, numbers, bare, lock, points)
    processes = [ctx.Process(target=add, args=args) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    print(number.value, numbers[:], bare.value, [(point.x, point.y) for point in points])


if __name__ == "__main__":
    for method in ("fork", "spawn"):
        use(get_context(method))
    text, raw = Array("c", b"hello"), RawArray("i", 3)
    print(text.value, raw[:], Value("d", 1.5).value, AnotherValue("h", 4).value)
    print(Value("i", lock=Lock()).get_lock().acquire(False))
    memory = SharedMemory(create=True, size=64)
    process = Process(target=fill, args=(memory.name, 8))
    process.start()
    process.join()
    print(bytes(memory.buf[:10]))
    memory.close()
    memory.unlink()
    words = ShareableList(["one", 2, 3.5, None])
    print(list(words))
    words.shm.close()
    words.shm.unlink()
