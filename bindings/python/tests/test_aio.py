"""Queues under asyncio."""

import asyncio
import os
import threading
import unittest

import polyproc
from support import DEADLINE


def thread_count():
    return len(os.listdir("/proc/self/task"))


class Aio(unittest.IsolatedAsyncioTestCase):
    async def test_a_thousand_waiting_gets_and_no_thread_for_each(self):
        queue = polyproc.Queue()
        gets = [asyncio.create_task(queue.aget()) for _ in range(1000)]
        await asyncio.sleep(0.1)
        # The watcher of the descriptor and the keeper of the process.
        self.assertLess(thread_count(), 10)
        for number in range(1000):
            await queue.aput(number)
        got = await asyncio.wait_for(asyncio.gather(*gets), DEADLINE)
        self.assertEqual(sorted(got), list(range(1000)))

    async def test_a_canceled_get_loses_nothing(self):
        queue = polyproc.Queue()
        for number in range(100):
            get = asyncio.create_task(queue.aget())
            await asyncio.sleep(0)
            queue.put(number)
            if number % 2:
                await asyncio.sleep(0)
            get.cancel()
            try:
                got = await get
            except asyncio.CancelledError:
                got = await asyncio.wait_for(queue.aget(), DEADLINE)
            self.assertEqual(got, number)

    async def test_a_full_queue(self):
        queue = polyproc.Queue(1)
        await queue.aput(1)
        puts = [asyncio.create_task(queue.aput(number)) for number in range(20)]
        await asyncio.sleep(0.05)
        self.assertEqual(queue.qsize(), 1)
        got = [await asyncio.wait_for(queue.aget(), DEADLINE) for _ in range(21)]
        await asyncio.gather(*puts)
        self.assertEqual(got[0], 1)
        self.assertEqual(sorted(got[1:]), list(range(20)))

    async def test_for(self):
        queue = polyproc.Queue()

        def produce():
            queue.put_many(range(10))
            queue.shutdown()

        threading.Timer(0.05, produce).start()
        self.assertEqual([value async for value in queue], list(range(10)))


if __name__ == "__main__":
    unittest.main()
