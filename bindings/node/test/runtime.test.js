'use strict';

// The effect of waiting promises on Node: its main thread and libuv's pool stay free, a wait with a
// descriptor takes no thread, the others take a bounded number, and a program that waits for
// nothing ends.

const assert = require('node:assert/strict');
const fs = require('node:fs/promises');
const { test } = require('node:test');
const { Barrier, Event, Lock, Queue } = require('..');
const { anonymous, leavesNothingBehind, named, sleep, start, threadCount, until, withCode } = require('./helpers.js');

leavesNothingBehind();

test('50 gets wait, and the main thread ticks', async (t) => {
  const queue = anonymous(t, Queue);
  const gets = Array.from({ length: 50 }, () => queue.get());
  await new Promise((resolve) => {
    let ticks = 0;
    const interval = setInterval(() => {
      if (++ticks < 15) return;
      clearInterval(interval);
      resolve();
    }, 2);
  });
  for (let i = 0; i < 50; i++) queue.tryPut(Buffer.from([i]));
  await Promise.all(gets);
});

test('a loop over what is there at once lets timers have their turn', async (t) => {
  const queue = anonymous(t, Queue);
  let ticks = 0;
  const interval = setInterval(() => ticks++, 1);
  const end = performance.now() + 10_000;
  while (ticks < 10 && performance.now() < end) {
    await queue.put(Buffer.from('x'));
    await queue.get();
  }
  clearInterval(interval);
  assert.equal(ticks, 10);
});

test('a loop of for await over what is there at once lets timers have their turn', async (t) => {
  const queue = anonymous(t, Queue);
  let ticks = 0;
  const interval = setInterval(() => ticks++, 1);
  const end = performance.now() + 10_000;
  queue.tryPut(Buffer.from('x'));
  for await (const message of queue) {
    if (ticks >= 10 || performance.now() > end) break;
    queue.tryPut(message);
  }
  clearInterval(interval);
  assert.equal(ticks, 10);
});

test('the loop turns within 1,024 calls that complete at once', async (t) => {
  const queue = anonymous(t, Queue);
  let calls = 0;
  let isTurned = false;
  setImmediate(() => (isTurned = true));
  while (!isTurned && calls < 5000) {
    await queue.put(Buffer.from('x'));
    await queue.get();
    calls += 2;
  }
  assert.ok(calls <= 1026, `${calls}`);
});

test('the pool of libuv is free while promises wait', async (t) => {
  const { ended, line } = start(t, 'pool', [], { env: { ...process.env, UV_THREADPOOL_SIZE: '1' } });
  assert.equal(await line(), 'read while 40 wait');
  assert.deepEqual(await ended, { code: 0, signal: null });
});

test('10,000 promises wait on 100 queues without a thread of their own', async (t) => {
  const queues = Array.from({ length: 100 }, () => anonymous(t, Queue));
  await fs.readFile(__filename); // the pool of libuv has its threads
  const before = threadCount();
  const waiting = [];
  for (let i = 0; i < 100; i++) for (const queue of queues) waiting.push(queue.get());
  await sleep(50);
  const during = threadCount();
  t.diagnostic(`10,000 promises wait on 100 queues: ${during} threads, ${before} before (/proc/self/status)`);
  assert.ok(during <= before + 2, `${before}, then ${during}`); // the library's keeper and its watcher
  for (let i = 0; i < 100; i++) for (const queue of queues) queue.tryPut(Buffer.from([i]));
  const got = await Promise.all(waiting);
  for (let i = 0; i < got.length; i++) assert.equal(got[i][0], Math.floor(i / 100));
});

test('without a descriptor one thread waits for all of an object and direction', async (t) => {
  const events = Array.from({ length: 5 }, () => anonymous(t, Event));
  const locks = Array.from({ length: 5 }, () => anonymous(t, Lock));
  await fs.readFile(__filename);
  const before = threadCount();
  for (const lock of locks) lock.tryAcquire();
  const waiting = [];
  for (let i = 0; i < 100; i++) {
    for (const event of events) waiting.push(event.wait());
    for (const lock of locks) waiting.push(lock.hold(() => {}));
  }
  await sleep(50);
  const during = threadCount();
  assert.ok(during <= before + 10 + 1, `${before}, then ${during}`); // and the library's keeper
  for (const event of events) event.set();
  for (const lock of locks) lock.release();
  await Promise.all(waiting);
  await until(() => threadCount() <= before + 1, 'idle threads end');
});

test('a bounded number of threads: one wait more is refused, and the others go on', async (t) => {
  const most = 128;
  const barrier = Barrier.create(most + 1);
  t.after(() => barrier.close());
  const waiting = Array.from({ length: most }, () => barrier.wait());
  await until(() => barrier.waiting === most, 'all wait');
  await assert.rejects(barrier.wait(), withCode('E_LIMIT'));
  const other = anonymous(t, Event);
  await assert.rejects(other.wait(), withCode('E_LIMIT'));
  await barrier.wait({ timeout: 0 });
  assert.equal((await Promise.all(waiting)).length, most);
  const event = other.wait();
  other.set();
  await event;
});

test('40 of 40 times a set that a clear follows at once lets everybody go', async (t) => {
  const event = anonymous(t, Event);
  for (let i = 0; i < 40; i++) {
    const waiting = [event.wait(), event.wait(), event.wait({ timeout: 60_000 })];
    if (i % 2 === 0) await sleep(1);
    event.set();
    event.clear();
    await Promise.all(waiting);
  }
  await assert.rejects(event.wait({ timeout: 5 }), withCode('E_TIMEOUT'));
});

test('a program with open objects and nothing to wait for ends', async (t) => {
  const { ended, line } = start(t, 'ends', ['idle']);
  assert.equal(await line(), 'idle');
  assert.deepEqual(await ended, { code: 0, signal: null });
});

test('a program that waits goes on, and ends with its last wait', async (t) => {
  const queue = named(t, Queue);
  const { child, ended, line } = start(t, 'ends', ['waits', queue.name]);
  assert.equal(await line(), 'waits');
  await sleep(100);
  assert.equal(child.exitCode, null);
  queue.tryPut(Buffer.from('x'));
  assert.equal(await line(), 'got x');
  assert.deepEqual(await ended, { code: 0, signal: null });
});

for (const how of ['exit', 'throw', 'close']) {
  test(`a program that waits can end: ${how}`, async (t) => {
    const queue = named(t, Queue);
    const { ended } = start(t, 'ends', [how, queue.name], { stdio: ['pipe', 'pipe', 'ignore'] });
    assert.deepEqual(await ended, { code: { exit: 3, throw: 1, close: 0 }[how], signal: null });
    queue.tryPut(Buffer.from('still there'));
    assert.equal(String(await queue.get()), 'still there');
  });
}

test('objects nobody has any more are collected', async (t) => {
  const { ended, line } = start(t, 'collected', [], { nodeArguments: ['--expose-gc'] });
  assert.equal(await line(), 'collected');
  assert.deepEqual(await ended, { code: 0, signal: null });
});

test('import and require give the same objects', async () => {
  const imported = await import('../index.mjs');
  const required = require('..');
  assert.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort());
  for (const key of Object.keys(required)) assert.equal(imported[key], required[key], key);
});
