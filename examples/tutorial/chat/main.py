"""First in, first out, whoever puts and whoever gets: main's message goes to f2, f's message to
main."""

from functools import partial

from polyproc import Process, Queue

print = partial(print, flush=True)


def f(queue):
    print("f puts 姑娘,多少钱~")
    queue.put("姑娘,多少钱~")


def f2(queue):
    print(f"f2 gets {queue.get()}")


if __name__ == "__main__":
    queue = Queue()
    print("main puts 小鬼")
    queue.put("小鬼")
    for target in [f, f2]:
        p = Process(target=target, args=(queue,))
        p.start()
        p.join()
    print(f"main gets {queue.get()}")
