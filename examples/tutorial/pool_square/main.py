"""A pool of four workers: two squares one after the other, then both at once."""

import sys
import time
from functools import partial

from polyproc import Pool

SECOND = int(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 1.0
print = partial(print, flush=True)


def square(number):
    print(f"worker squares {number}")
    time.sleep(SECOND)
    return number * number


if __name__ == "__main__":
    with Pool(4) as pool:
        print("one after the other")
        print(f"main got {pool.apply(square, (2,))}")
        print(f"main got {pool.apply(square, (3,))}")
        print("both at once")
        results = [pool.apply_async(square, (2,)), pool.apply_async(square, (3,))]
        for result in results:
            print(f"main got {result.get()}")
        pool.close()
        pool.join()
