"""Started by spawn, under __main__: what a worker gets, it gets by pickling."""

import multiprocessing as mp

shared = None


def start(lock, counter, queue):
    global shared
    shared = lock, counter, queue


def work(number):
    lock, counter, queue = shared
    with lock:
        counter.value += number
    queue.put(number)
    return mp.current_process().name.split("-")[0], number


def child(event, condition, semaphore, barrier, answers):
    event.wait()
    with condition:
        condition.notify_all()
    semaphore.release()
    answers.put(barrier.wait() in (0, 1))


if __name__ == "__main__":
    mp.set_start_method("spawn")
    # Afterwards: that of Python 3.13.5 sets a start method.
    mp.freeze_support()
    print(mp.get_start_method(), mp.get_all_start_methods(), mp.cpu_count() > 0)
    try:
        mp.set_start_method("fork")
    except RuntimeError as error:
        print("RuntimeError", error)
    counter, queue = mp.Value("i", 0), mp.Queue()
    with mp.Pool(2, initializer=start, initargs=(mp.Lock(), counter, queue)) as pool:
        results = pool.map(work, range(10))
        # Before the pool ends its workers: the queue of Python puts in a thread,
        # and what this thread has not yet put goes with the worker.
        print(sorted(queue.get() for _ in range(10)))
    print([number for _, number in results], {name for name, _ in results}, counter.value)
    event, condition, semaphore = mp.Event(), mp.Condition(), mp.Semaphore(0)
    barrier, answers = mp.Barrier(2), mp.SimpleQueue()
    process = mp.Process(target=child, args=(event, condition, semaphore, barrier, answers))
    process.start()
    with condition:
        event.set()
        print(condition.wait(60), semaphore.acquire(timeout=60), barrier.wait() in (0, 1))
    print(answers.get())
    process.join()
    print(process.exitcode, mp.get_context("fork").get_start_method())
