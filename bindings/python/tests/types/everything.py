"""A program that uses everything, for type checkers: `make test-python`."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import Future

import polyproc
from polyproc import (
    Barrier,
    BoundedSemaphore,
    Condition,
    Event,
    JoinableQueue,
    Lock,
    Message,
    MessageState,
    Pipe,
    Pool,
    Process,
    ProcessPoolExecutor,
    Queue,
    QueueInfo,
    RLock,
    Semaphore,
    ShutDown,
    SimpleQueue,
    Slot,
)
from polyproc.connection import Client, Connection, Listener
from polyproc.managers import BaseManager
from polyproc.shared_memory import SharedMemory
from polyproc.workers import TaskFailed, WorkerPool, WorkerTask, run_worker


def square(number: int) -> int:
    return number * number


def locks() -> None:
    lock, rlock = Lock(), RLock("name", create=False)
    with lock, rlock:
        held: bool = lock.locked() and rlock.owner_died
        assert held
    if lock.acquire(timeout=1.5) and rlock.acquire(False):
        lock.release()
    semaphore, bounded = Semaphore(3, owned=True), BoundedSemaphore(2)
    with semaphore, bounded:
        value: int = semaphore.get_value()
        assert value
    event = Event()
    event.set()
    event.clear()
    flag: bool = event.is_set() or event.wait(1)
    condition = Condition(lock)
    with condition:
        condition.wait_for(lambda: flag, 1)
        condition.notify(2)
        condition.notify_all()
    barrier = Barrier(2, action=print, timeout=1)
    index: int = barrier.wait()
    assert index + barrier.n_waiting < barrier.parties and not barrier.broken
    barrier.abort()
    barrier.reset()
    guard: Lock = polyproc.inherited("guard", "lock")
    changed: Condition = polyproc.inherited("changed", "condition", lock=guard)
    changed.acquire()


def queues() -> None:
    numbers: Queue[int] = Queue(10)
    numbers.put(1, timeout=1)
    number: int = numbers.get()
    numbers.put_many([number, 2])
    many: list[int] = numbers.get_many(10)
    for each in numbers:
        many.append(each)
    size: int = numbers.qsize() + numbers.maxsize
    assert size or numbers.empty() or numbers.full()
    numbers.close()
    numbers.join_thread()
    numbers.cancel_join_thread()
    assert numbers.closed
    jobs: JoinableQueue[str] = JoinableQueue()
    jobs.put_nowait("job")
    jobs.get_nowait()
    jobs.task_done()
    done: bool = jobs.join(1)
    simple: SimpleQueue[bytes] = SimpleQueue()
    simple.put(b"")
    shared: Queue[object] = Queue(name="jobs", create=True, joinable=True, format="msgpack")
    again: Queue[object] = Queue.open("jobs")
    assert again.name and done
    with shared.take() as message:
        view: memoryview = message.data
        print(view, message.deliveries, message.value, message.id)
    messages: list[Message] = shared.take_many(3)
    messages[0].give_back()
    slot: Slot
    with shared.reserve(100) as slot:
        slot.data[0] = 1
        slot.commit(1)
    shared.reserve(1).abort()
    print(polyproc.wait_any([shared], 1))
    numbers_of(shared.info())
    try:
        shared.shutdown(immediate=True)
    except ShutDown:
        pass
    id: int = shared.put_id({"amount": 3}, timeout=1)
    state: MessageState = shared.settled(id)
    identity: bytes = shared.identity
    final = [MessageState.DONE, MessageState.DEAD, MessageState.DISCARDED, MessageState.UNKNOWN]
    print(state in (MessageState.WAITING, MessageState.LEASED), final, identity.hex())
    dead: Message = shared.take_dead()
    dead.done()
    event = Event()
    ready: list[object] = polyproc.wait_any([shared, event], 1)
    print(ready, [each["name"] for each in polyproc.list_objects()])
    same: Queue[object] = Queue.from_fd(shared.fileno())
    os.close(same.share_fd())
    print(same.joinable, same.format)
    polyproc.unlink("jobs")
    inherited: Queue[object] = polyproc.inherited("jobs")
    inherited.close()


def numbers_of(info: QueueInfo) -> None:
    messages: int = info.items + info.bytes + info.in_flight + info.unfinished + info.waiting
    ever: int = info.puts + info.gets + info.redelivered + info.discarded + info.dead_letters
    processes: int = info.participants + info.recoveries
    print(messages, ever, processes, info.shutdown)


async def aio(queue: Queue[int]) -> int:
    await queue.aput(1)
    async for value in queue:
        return value
    return await queue.aget()


def processes() -> None:
    process = Process(target=square, args=(1,), daemon=True)
    process.start()
    process.join(1)
    print(process.exitcode, process.sentinel, polyproc.active_children())
    ours, theirs = Pipe()
    with ours, theirs:
        ours.send([1])
        print(theirs.poll(1), theirs.recv())
        ours.send_bytes(b"bytes")
        received: bytes = theirs.recv_bytes()
        count: int = theirs.recv_bytes_into(bytearray(10))
        print(received, count, theirs.readable, theirs.writable, theirs.closed)
    with Listener(("localhost", 0), authkey=b"key") as listener:
        Client(listener.address, authkey=b"key").close()
    ctx = polyproc.get_context("spawn")
    ctx.Process(target=os.getpid).start()


def pools() -> None:
    with Pool(2, max_attempts=3) as pool:
        print(pool.map(square, [1, 2]), pool.apply_async(square, (1,)).get(1))
        for value in pool.imap_unordered(square, [1, 2]):
            print(value)
        print(pool.imap(square, [1, 2]).next(1), pool.starmap(pow, [(2, 3)]))
        result = pool.map_async(square, [1, 2], callback=print)
        result.wait(1)
        print(result.ready() and result.successful(), pool.starmap_async(pow, [(2, 3)]).get())
        pool.close()
        pool.terminate()
        pool.join()
    with ProcessPoolExecutor(2) as executor:
        future: Future[int] = executor.submit(square, 1)
        print(future.result())


def other_languages() -> None:
    with WorkerPool(["worker", "argument"], 2, format="msgpack", max_attempts=2) as pool:
        task: WorkerTask = pool.submit("square", 3)
        try:
            print(task.get(1), pool.apply("square", 4), list(pool.map("square", [1, 2])))
        except TaskFailed as failed:
            print(failed, task.cancel(), pool.worker_pids())
        pool.shutdown()
        joined: bool = pool.join(1)
        assert joined
        pool.terminate()
    run_worker({"square": square}, format="msgpack")


def pythons_own() -> None:
    with polyproc.Manager() as manager:
        words = manager.dict({"one": 1})
        words["two"] = 2
    number, numbers = polyproc.Value("i", 1), polyproc.Array("d", [1.0])
    with number.get_lock():
        number.value += 1
    print(numbers[0], BaseManager)
    memory = SharedMemory(create=True, size=10)
    memory.unlink()
    connection: Connection = polyproc.Pipe()[0]
    connection.close()


def settings() -> None:
    polyproc.set_start_method("spawn")
    polyproc.set_executable("/usr/bin/python3")
    polyproc.set_forkserver_preload(["numpy"])
    polyproc.allow_connection_pickling()
    polyproc.freeze_support()
    methods: list[str] = [polyproc.get_start_method(), *polyproc.get_all_start_methods()]
    cores: int = polyproc.cpu_count()
    print(methods, cores, polyproc.__version__, polyproc.reducer)
    print(polyproc.current_process().name, polyproc.parent_process())
    polyproc.log_to_stderr()
    polyproc.get_logger().info("text")
    print(polyproc.RawValue("i", 1).value, len(polyproc.RawArray("d", 3)))


def errors() -> None:
    kinds: list[type[BaseException]] = [
        polyproc.AuthenticationError,
        polyproc.BrokenBarrierError,
        polyproc.BufferTooShort,
        polyproc.Corrupt,
        polyproc.Empty,
        polyproc.Full,
        polyproc.Mismatch,
        polyproc.NotOwned,
        polyproc.OverReleased,
        polyproc.OwnerDied,
        polyproc.ProcessError,
        polyproc.ShutDown,
        polyproc.TimeoutError,
        polyproc.Unsupported,
        polyproc.WorkerDied,
    ]
    print(kinds)


if __name__ == "__main__":
    settings()
    errors()
    locks()
    queues()
    processes()
    pools()
    other_languages()
    pythons_own()
    asyncio.run(aio(Queue()))
