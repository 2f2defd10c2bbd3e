"""Objects of a manager: dict, list, Namespace, Lock, Queue, a class of one's own."""

from multiprocessing import Manager, Process
from multiprocessing.managers import BaseManager


class Counter:
    def __init__(self, start=0):
        self.value = start

    def add(self, number):
        self.value += number
        return self.value


class Counters(BaseManager):
    pass


Counters.register("Counter", Counter)


def work(number, words, numbers, space, lock, queue):
    words[number] = f"word {number}"
    numbers.append(number)
    with lock:
        space.total += number
    queue.put(number)


def count(counter):
    for _ in range(10):
        counter.add(1)


if __name__ == "__main__":
    with Manager() as manager:
        words, numbers, space = manager.dict(), manager.list(), manager.Namespace(total=0)
        lock, queue = manager.Lock(), manager.Queue()
        args = (words, numbers, space, lock, queue)
        workers = [Process(target=work, args=(number, *args)) for number in range(5)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        print(sorted(words.items()), sorted(numbers), space.total, queue.qsize())
        print(sorted(queue.get() for _ in range(5)), queue.empty(), 3 in words, len(numbers))
        try:
            words["nothing"]
        except KeyError as error:
            print("KeyError", error)
    with Counters() as counters:
        counter = counters.Counter(5)
        workers = [Process(target=count, args=(counter,)) for _ in range(1)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        print(counter.add(0))
