"""A pool: results in order, tasks that fail, functions that cannot be pickled."""

from multiprocessing import Lock, Pool, TimeoutError


def square(number):
    return number * number


def fail(number):
    if number == 3:
        raise ValueError(f"{number} is no good")
    return number


def slow(_):
    import time

    time.sleep(3600)


def show(function):
    try:
        print("returned", function())
    except Exception as error:
        print(type(error).__name__, str(error).split(" at 0x")[0])


if __name__ == "__main__":
    with Pool(3) as pool:
        print(
            pool.map(square, range(10)), pool.map(square, []), pool.starmap(pow, [(2, 3), (3, 2)])
        )
        print(list(pool.imap(square, range(5))), sorted(pool.imap_unordered(square, range(5), 2)))
        show(lambda: pool.map(lambda number: number, range(3)))
        show(lambda: pool.map(fail, range(5)))
        show(lambda: pool.apply(fail, (3,)))
        show(lambda: pool.apply(fail))
        show(lambda: pool.apply(square, ("text",)))
        show(lambda: pool.map(square, [Lock()]))
        show(lambda: list(pool.imap(fail, range(5))))
        results = pool.map_async(square, range(4), callback=lambda squares: print("come", squares))
        results.wait()
        print(results.ready(), results.successful(), results.get())
        failed = pool.apply_async(fail, (3,), error_callback=lambda error: print("failed", error))
        failed.wait()
        print(failed.ready(), failed.successful())
        try:
            pool.apply_async(slow, (1,)).get(timeout=0.1)
        except TimeoutError as error:
            print(type(error).__module__, type(error).__name__)
    show(lambda: pool.map(square, range(3)))
    pool = Pool(processes=2, maxtasksperchild=1)
    print(sorted(pool.imap_unordered(square, range(6))))
    pool.close()
    show(lambda: pool.apply(square, (1,)))
    pool.join()
