// The cost of a call in one process: `npm run bench`. `make bench` of the project measures between
// processes.

import { bench, group, run, summary } from 'mitata';
import { Lock, Message, Queue, pipe } from '../index.mjs';

const BATCH = 32;
const queue = Queue.create();
const values = Queue.create({ format: 'msgpack' });
const lock = Lock.create();
const [reader, writer] = pipe({ duplex: false });

for (const length of [8, 64, 1024, 65536]) {
  const message = Buffer.alloc(length, 1);
  const batch = Array(BATCH).fill(message);
  group(`${length} bytes`, () => {
    summary(() => {
      bench('tryPut + tryGet', () => {
        queue.tryPut(message);
        return queue.tryGet();
      });
      bench('tryPut + tryTake + done', () => {
        queue.tryPut(message);
        queue.tryTake().done();
      });
      bench('tryReserve + commit + tryTake + data + done', () => {
        const slot = queue.tryReserve(length);
        slot.data[0] = 1;
        slot.commit();
        const taken = queue.tryTake();
        const first = taken.data[0];
        taken.done();
        return first;
      });
      bench(`tryPutMany + tryGetMany of ${BATCH}`, () => {
        queue.tryPutMany(batch);
        return queue.tryGetMany(BATCH);
      });
      bench(`tryPutMany + tryTakeMany + doneMany of ${BATCH}`, () => {
        queue.tryPutMany(batch);
        const taken = queue.tryTakeMany(BATCH);
        Message.doneMany(taken);
        return taken;
      });
      bench('pipe: trySend + tryRecv', () => {
        writer.trySend(message);
        return reader.tryRecv();
      });
      bench('await put + get', async () => {
        await queue.put(message);
        return queue.get();
      });
    });
  });
}

const value = { path: '/usr/include/stdio.h', lines: 1234, seen: [1, 2, 3] };
bench('msgpack: tryPut + tryGet', () => {
  values.tryPut(value);
  return values.tryGet();
});
bench('lock: tryAcquire + release', () => {
  lock.tryAcquire();
  lock.release();
});

await run();
