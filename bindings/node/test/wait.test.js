'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Event, Lock, Queue, Semaphore } = require('..');
const { anonymous, leavesNothingBehind, sleep, twin, until, withCode } = require('./helpers.js');

leavesNothingBehind();

const bytes = (text) => Buffer.from(text);

/** Each way to wait: the object, and how to end one wait. */
const waits = {
  get: [(t) => anonymous(t, Queue), (queue, options) => queue.get(options), (queue) => queue.tryPut(bytes('x')), 'E_EMPTY'],
  getMany: [(t) => anonymous(t, Queue), (queue, options) => queue.getMany(3, options), (queue) => queue.tryPut(bytes('x')), 'E_EMPTY'],
  take: [(t) => anonymous(t, Queue), (queue, options) => queue.take(options), (queue) => queue.tryPut(bytes('x')), 'E_EMPTY'],
  takeMany: [(t) => anonymous(t, Queue), (queue, options) => queue.takeMany(3, options), (queue) => queue.tryPut(bytes('x')), 'E_EMPTY'],
  put: [full, (queue, options) => queue.put(bytes('y'), options), (queue) => queue.tryGet(), 'E_FULL'],
  putMany: [full, (queue, options) => queue.putMany([bytes('y')], options), (queue) => queue.tryGet(), 'E_FULL'],
  reserve: [full, (queue, options) => queue.reserve(3, options), (queue) => queue.tryGet(), 'E_FULL'],
  join: [unfinished, (queue, options) => queue.join(options), (queue) => queue.taskDone(), 'E_TIMEOUT'],
  lock: [held, (lock, options) => lock.acquire(options), (lock) => lock.release(), 'E_TIMEOUT'],
  semaphore: [
    (t) => anonymous(t, Semaphore, { initial: 0 }),
    (semaphore, options) => semaphore.acquire(options),
    (semaphore) => semaphore.release(),
    'E_TIMEOUT',
  ],
  event: [(t) => anonymous(t, Event), (event, options) => event.wait(options), (event) => event.set(), 'E_TIMEOUT'],
};

function full(t) {
  const queue = anonymous(t, Queue, { maxItems: 1 });
  queue.tryPut(bytes('x'));
  return queue;
}

function unfinished(t) {
  const queue = anonymous(t, Queue, { joinable: true });
  queue.tryPut(bytes('x'));
  queue.tryGet();
  return queue;
}

function held(t) {
  const lock = anonymous(t, Lock);
  lock.tryAcquire();
  return lock;
}

for (const [name, [make, wait, letGo, late]] of Object.entries(waits)) {
  test(`${name} waits until it can`, async (t) => {
    const object = make(t);
    const other = twin(t, object);
    let settled = false;
    const promise = wait(object).then(() => (settled = true));
    await sleep(20);
    assert.equal(settled, false);
    letGo(other);
    await promise;
  });

  test(`${name} times out`, async (t) => {
    const object = make(t);
    await assert.rejects(wait(object, { timeout: 0 }), withCode(late));
    await assert.rejects(wait(object, { timeout: -5 }), withCode(late));
    const begin = performance.now();
    await assert.rejects(wait(object, { timeout: 30 }), withCode(late));
    const took = performance.now() - begin;
    assert.ok(took >= 29.5, `after ${took} ms`);
    assert.ok(took < 1000, `after ${took} ms`);
  });

  test(`${name} is aborted`, async (t) => {
    const object = make(t);
    const controller = new AbortController();
    const first = wait(object, { signal: controller.signal });
    const behind = wait(object, { signal: controller.signal });
    const both = Promise.allSettled([first, behind]);
    await sleep(10);
    const reason = new Error('enough');
    controller.abort(reason);
    assert.deepEqual(await both, Array(2).fill({ status: 'rejected', reason }));
    await assert.rejects(wait(object, { signal: controller.signal }), reason);
    await assert.rejects(wait(object, { signal: AbortSignal.abort() }), { name: 'AbortError' });
    await assert.rejects(wait(object, { signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' });
    // and the object is as good as before
    const again = wait(object);
    letGo(object);
    await again;
  });

  test(`${name} is closed`, async (t) => {
    const object = make(t);
    const promises = [wait(object), wait(object), wait(object, { timeout: 60_000 })];
    const results = Promise.allSettled(promises);
    await sleep(10);
    object.close();
    for (const result of await results) {
      assert.equal(result.status, 'rejected');
      withCode('E_CLOSED')(result.reason);
    }
  });

  test(`${name} closed at once`, async (t) => {
    const object = make(t);
    const promise = wait(object);
    object.close();
    await assert.rejects(promise, withCode('E_CLOSED'));
  });
}

test('promises are served in the order in which they were made', async (t) => {
  const queue = anonymous(t, Queue);
  const order = [];
  const gets = Array.from({ length: 50 }, (_, i) => queue.get().then((message) => order.push([i, String(message)])));
  for (let i = 0; i < 50; i++) queue.tryPut(bytes(`${i}`));
  await Promise.all(gets);
  assert.deepEqual(order, Array.from({ length: 50 }, (_, i) => [i, `${i}`]));
});

test('puts that wait keep their order', async (t) => {
  const queue = anonymous(t, Queue, { maxItems: 2 });
  const puts = Array.from({ length: 50 }, (_, i) => queue.put(bytes(`${i}`)));
  for (let i = 0; i < 50; i++) assert.equal(String(await queue.get()), `${i}`);
  await Promise.all(puts);
});

test('a put that waits has its own copy', async (t) => {
  const queue = anonymous(t, Queue, { maxItems: 1 });
  const message = bytes('first');
  queue.tryPut(message);
  const waiting = queue.put(message);
  const many = queue.putMany([message, message]);
  message.fill('?');
  const got = [];
  for (let i = 0; i < 4; i++) got.push(String(await queue.get()));
  await Promise.all([waiting, many]);
  assert.deepEqual(got, ['first', 'first', 'first', 'first']);
});

test('an aborted wait in line does not disturb the others', async (t) => {
  const queue = anonymous(t, Queue);
  const controller = new AbortController();
  const first = queue.get();
  const second = queue.get({ signal: controller.signal });
  const third = queue.get();
  controller.abort();
  await assert.rejects(second, { name: 'AbortError' });
  queue.tryPutMany([bytes('1'), bytes('2')]);
  assert.equal(String(await first), '1');
  assert.equal(String(await third), '2');
});

test('no message is lost between an abort and its arrival', async (t) => {
  const queue = anonymous(t, Queue);
  const other = twin(t, queue);
  const rounds = 500;
  let got = 0;
  for (let i = 0; i < rounds; i++) {
    const controller = new AbortController();
    const promise = queue.get({ signal: controller.signal });
    if (i % 2 === 0) await sleep(0);
    other.tryPut(bytes(`${i}`));
    controller.abort();
    const text = await promise.then(String, (error) => {
      assert.equal(error.name, 'AbortError');
      return String(queue.tryGet());
    });
    assert.equal(text, `${i}`);
    got++;
  }
  assert.equal(got, rounds);
  assert.equal(queue.isEmpty, true);
});

test('no message is lost between a close and its arrival', async (t) => {
  const owner = anonymous(t, Queue);
  for (let i = 0; i < 200; i++) {
    const queue = twin(t, owner);
    const promise = queue.get();
    if (i % 2 === 0) await sleep(0);
    owner.tryPut(bytes(`${i}`));
    if (i % 4 < 2) await sleep(0);
    queue.close();
    const text = await promise.then(String, (error) => {
      withCode('E_CLOSED')(error);
      return String(owner.tryGet());
    });
    assert.equal(text, `${i}`);
  }
});

test('a lock is not lost between an abort and its acquisition', async (t) => {
  const lock = anonymous(t, Lock);
  for (let i = 0; i < 300; i++) {
    lock.tryAcquire();
    const controller = new AbortController();
    const promise = lock.acquire({ signal: controller.signal });
    if (i % 2 === 0) await sleep(0);
    lock.release();
    controller.abort();
    const acquired = await promise.then(
      () => true,
      () => false,
    );
    assert.equal(lock.isLocked, acquired);
    if (acquired) lock.release();
  }
});

test('putMany waits for room again and again', async (t) => {
  const queue = anonymous(t, Queue, { maxItems: 10 });
  const items = Array.from({ length: 3000 }, (_, i) => bytes(`${i}`));
  const put = queue.putMany(items);
  for (let i = 0; i < items.length; i++) assert.equal(String(await queue.get()), `${i}`);
  assert.equal(await put, items.length);
});

test('putMany says how many it put when its time is over', async (t) => {
  const queue = anonymous(t, Queue, { maxItems: 10 });
  const items = Array.from({ length: 30 }, (_, i) => bytes(`${i}`));
  assert.equal(await queue.putMany(items, { timeout: 20 }), 10);
  await assert.rejects(queue.putMany(items, { timeout: 20 }), withCode('E_FULL'));
  assert.equal(queue.length, 10);
});

test('shutdown ends the waits', async (t) => {
  const queue = anonymous(t, Queue, { maxItems: 1 });
  const gets = [queue.get(), queue.take(), queue.getMany(2)];
  await sleep(10);
  queue.shutdown();
  await Promise.all(gets.map((promise) => assert.rejects(promise, withCode('E_SHUTDOWN'))));
});

test('for await ends at shutdown, the rest drained', async (t) => {
  const queue = anonymous(t, Queue);
  const got = [];
  const reading = (async () => {
    for await (const message of queue) got.push(String(message));
  })();
  for (let i = 0; i < 300; i++) {
    await queue.put(bytes(`${i}`));
    if (i % 100 === 0) await sleep(5);
  }
  queue.shutdown();
  await reading;
  assert.deepEqual(got, Array.from({ length: 300 }, (_, i) => `${i}`));
});

test('for await over messages', async (t) => {
  const queue = anonymous(t, Queue, { joinable: true });
  await queue.putMany(Array.from({ length: 10 }, (_, i) => bytes(`${i}`)));
  queue.shutdown();
  const got = [];
  for await (const message of queue.messages()) {
    got.push(String(message.data));
    message.done();
  }
  assert.equal(got.length, 10);
  await queue.join();
});

test('for await can be left and taken up again', async (t) => {
  const queue = anonymous(t, Queue);
  await queue.putMany([bytes('1'), bytes('2')]);
  for await (const message of queue) {
    assert.equal(String(message), '1');
    break;
  }
  assert.equal(queue.length, 1);
  const iterator = queue.values({ timeout: 10 });
  assert.equal(String((await iterator.next()).value), '2');
  await assert.rejects(iterator.next(), withCode('E_EMPTY'));
  assert.deepEqual(await iterator.next(), { value: undefined, done: true });
});

test('a very long timeout', async (t) => {
  const queue = anonymous(t, Queue);
  const promise = queue.get({ timeout: Number.MAX_VALUE });
  const other = queue.get({ timeout: 2 ** 40 });
  await sleep(10);
  queue.tryPutMany([bytes('1'), bytes('2')]);
  assert.equal(String(await promise), '1');
  assert.equal(String(await other), '2');
});

test('an abort signal keeps no listener', async (t) => {
  const queue = anonymous(t, Queue);
  const { signal } = new AbortController();
  const promise = queue.get({ signal });
  await sleep(5);
  queue.tryPut(bytes('x'));
  await promise;
  assert.equal(require('node:events').getEventListeners(signal, 'abort').length, 0);
});

test('a closed object is let go while its threads end', async (t) => {
  for (let i = 0; i < 100; i++) {
    const queue = Queue.create();
    const promise = queue.get({ timeout: 1 });
    await promise.catch(() => {});
    queue.close();
  }
  await until(() => require('./helpers.js').threadCount() < 60, 'threads of closed queues end');
});
