'use strict';

// What waiting promises do to Node: nothing to its main thread and to libuv's pool, one thread per object and direction,
// and a program that has nothing to wait for ends.

const assert = require('node:assert/strict');
const fs = require('node:fs/promises');
const { test } = require('node:test');
const { Event, Queue } = require('..');
const { anonymous, leavesNothingBehind, named, sleep, start, threadCount, until } = require('./helpers.js');

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

test('the pool of libuv is free while promises wait', async (t) => {
  const { ended, line } = start(t, 'pool', [], { env: { ...process.env, UV_THREADPOOL_SIZE: '1' } });
  assert.equal(await line(), 'read while 40 wait');
  assert.deepEqual(await ended, { code: 0, signal: null });
});

test('threads are counted by objects, not by promises', async (t) => {
  const queues = Array.from({ length: 5 }, () => anonymous(t, Queue));
  const event = anonymous(t, Event);
  await fs.readFile(__filename); // the pool of libuv has its threads
  const before = threadCount();
  const waiting = [];
  for (let i = 0; i < 200; i++) {
    for (const queue of queues) waiting.push(queue.get());
    waiting.push(event.wait());
  }
  await sleep(50);
  const during = threadCount();
  assert.ok(during <= before + 6 + 1, `${before}, then ${during}`); // and the library's keeper
  for (const queue of queues) for (let i = 0; i < 200; i++) queue.tryPut(Buffer.alloc(0));
  event.set();
  await Promise.all(waiting);
  await until(() => threadCount() <= before + 1, 'idle threads end');
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
