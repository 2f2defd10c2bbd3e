'use strict';

// Each worker thread has an environment of its own, whose end gives back what it held.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');
const { Lock, Queue, Semaphore } = require('..');
const { leavesNothingBehind, named, sleep, threadCount, until } = require('./helpers.js');

leavesNothingBehind();

function startWorker(t, act, name) {
  const worker = new Worker(path.join(__dirname, 'children', 'worker.js'), { workerData: { act, name } });
  t.after(() => worker.terminate());
  return worker;
}

const soon = { timeout: 10_000 };

test('a worker shares a queue with the main thread', async (t) => {
  const queue = named(t, Queue, { format: 'msgpack' });
  const worker = startWorker(t, 'answer', queue.name);
  const [name] = await once(worker, 'message');
  const answers = Queue.open(name);
  for (let i = 0; i < 200; i++) {
    await queue.put(i);
    assert.equal(await answers.get(soon), i * 2);
  }
  queue.shutdown();
  assert.deepEqual(await once(worker, 'exit'), [0]);
  answers.close();
});

test('a worker that waits is terminated', async (t) => {
  const queue = named(t, Queue);
  for (let i = 0; i < 10; i++) {
    const worker = startWorker(t, 'wait', queue.name);
    await once(worker, 'message');
    await worker.terminate();
    queue.tryPut(Buffer.from(`${i}`));
    assert.equal(String(await queue.get(soon)), `${i}`);
  }
});

test('what a worker had taken goes back when it ends, in order', async (t) => {
  const queue = named(t, Queue);
  const long = Buffer.alloc(50_000, 7);
  await queue.putMany([Buffer.from('1'), long, Buffer.from('3')]);
  const worker = startWorker(t, 'take', queue.name);
  await once(worker, 'message');
  assert.equal(queue.info().inFlight, 2);
  await worker.terminate();
  const first = await queue.take(soon);
  assert.equal(String(first.data), '1');
  assert.equal(first.deliveries, 2);
  first.done();
  assert.ok((await queue.get(soon)).equals(long));
  assert.equal(String(await queue.get(soon)), '3');
  assert.equal(await queue.get({ timeout: 10 }).catch((error) => error.code), 'E_EMPTY');
});

test('a worker that ends by itself with waits pending', async (t) => {
  const queue = named(t, Queue);
  const worker = startWorker(t, 'exit', queue.name);
  assert.deepEqual(await once(worker, 'exit'), [5]);
  queue.tryPut(Buffer.from('x'));
  assert.equal(String(await queue.get(soon)), 'x');
});

for (const Class of [Lock, Semaphore]) {
  test(`nothing that a terminated worker waited for is lost: ${Class.name}`, async (t) => {
    for (let i = 0; i < 20; i++) {
      const object = named(t, Class);
      object.tryAcquire();
      const worker = startWorker(t, 'acquire', object.name);
      await once(worker, 'message');
      const ended = worker.terminate();
      if (i % 2 === 0) await sleep(0);
      object.release();
      await ended;
      // The thread either never had it, or its end gave it back.
      await object.acquire(soon);
    }
  });
}

test('no thread is left of workers that ended', async (t) => {
  const queue = named(t, Queue);
  const first = startWorker(t, 'wait', queue.name);
  await once(first, 'message');
  await first.terminate();
  const before = threadCount();
  for (let i = 0; i < 5; i++) {
    const worker = startWorker(t, 'wait', queue.name);
    await once(worker, 'message');
    await worker.terminate();
  }
  await until(() => threadCount() <= before, 'threads of workers end');
});
