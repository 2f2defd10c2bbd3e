"""Locks and what is made of them, between processes."""

from multiprocessing import (
    Barrier,
    BoundedSemaphore,
    Condition,
    Event,
    Lock,
    Process,
    Queue,
    RLock,
    Semaphore,
)
from threading import BrokenBarrierError


def hold(lock, held, release):
    with lock:
        held.set()
        release.wait()


def wait_for(condition, state, answers):
    with condition:
        answers.put(condition.wait_for(lambda: not state.empty(), 60))


def meet(barrier, answers):
    answers.put(barrier.wait())


def show(function):
    try:
        print(function())
    except Exception as error:
        print(type(error).__mro__[-3].__name__, isinstance(error, (ValueError, AssertionError)))


if __name__ == "__main__":
    for kind in (Lock, RLock):
        lock, held, release = kind(), Event(), Event()
        process = Process(target=hold, args=(lock, held, release))
        process.start()
        held.wait()
        print(
            lock.acquire(False), lock.acquire(timeout=0.01), lock.acquire(block=True, timeout=0.01)
        )
        release.set()
        print(lock.acquire())
        if kind is RLock:
            print(lock.acquire())
            lock.release()
        lock.release()
        process.join()
        show(lock.release)
    semaphore, bounded = Semaphore(2), BoundedSemaphore(2)
    print([semaphore.acquire(False) for _ in range(3)], semaphore.get_value())
    semaphore.release()
    print(semaphore.get_value())
    show(bounded.release)
    condition, state, answers = Condition(), Queue(), Queue()
    waiters = [Process(target=wait_for, args=(condition, state, answers)) for _ in range(3)]
    for waiter in waiters:
        waiter.start()
    with condition:
        state.put(1)
        condition.notify_all()
    while any(waiter.is_alive() for waiter in waiters):
        with condition:
            condition.notify_all()
        for waiter in waiters:
            waiter.join(0.05)
    print([answers.get() for _ in waiters])
    with condition:
        print(condition.wait(0.01), condition.wait_for(lambda: False, 0.01))
    show(condition.notify)
    event = Event()
    print(
        event.is_set(), event.wait(0.01), event.set(), event.wait(), event.clear(), event.is_set()
    )
    barrier = Barrier(3, timeout=60)
    parties = [Process(target=meet, args=(barrier, answers)) for _ in range(2)]
    for party in parties:
        party.start()
    places = [barrier.wait()] + [answers.get() for _ in parties]
    for party in parties:
        party.join()
    print(sorted(places), barrier.parties, barrier.n_waiting, barrier.broken)
    try:
        barrier.wait(0.01)
    except BrokenBarrierError:
        print("broken", barrier.broken)
    barrier.reset()
    print(barrier.broken)
