'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const path = require('node:path');
const { Event, Listener, Lock, Pool, Process, Queue, connect, pipe, waitAny } = require('..');
const { anonymous, leavesNothingBehind, named, sleep, until, withCode } = require('./helpers.js');

leavesNothingBehind();

const bytes = (text) => Buffer.from(text);

function all(t) {
  const [a, b] = pipe();
  const sleeper = Process.spawn({ argv: ['sleep', '60'] });
  t.after(async () => {
    a.close();
    b.close();
    sleeper.kill();
    await sleeper.join();
    sleeper.close();
  });
  const full = anonymous(t, Queue, { maxItems: 1 });
  full.tryPut(bytes('x'));
  const queue = anonymous(t, Queue);
  const released = named(t, Event);
  const event = anonymous(t, Event);
  const listener = Listener.create('tcp://127.0.0.1:0');
  const pool = Pool.create({ worker: path.join(__dirname, 'workers', 'calculator.js'), workers: 1 });
  t.after(async () => {
    listener.close();
    pool.terminate();
    await pool.join();
    pool.free();
  });
  const task = pool.submit('failsWhenTold', released.name);
  return { queue, put: { put: full }, event, connection: b, process: sleeper, listener, task, other: a, released };
}

const makeReady = {
  queue: ({ queue }) => queue.tryPut(bytes('x')),
  put: ({ put }) => put.put.tryGet(),
  event: ({ event }) => event.set(),
  connection: ({ other }) => other.trySend(bytes('x')),
  process: ({ process }) => process.kill(),
  listener: ({ listener }) => connect(listener.address).then((connection) => connection.close()),
  task: ({ released }) => released.set(),
};

for (const [which, make] of Object.entries(makeReady)) {
  test(`the one that is ready: ${which}`, async (t) => {
    const things = all(t);
    const items = ['queue', 'put', 'event', 'connection', 'process', 'listener', 'task'].map((name) => things[name]);
    await assert.rejects(waitAny(items, { timeout: 0 }), withCode('E_TIMEOUT'));
    await assert.rejects(waitAny(items, { timeout: 20 }), withCode('E_TIMEOUT'));
    const waiting = waitAny(items);
    await sleep(10);
    make(things);
    assert.deepEqual(await waiting, [things[which]]);
    await until(async () => (await waitAny(items)).length === 1, 'it is ready');
    assert.deepEqual(await waitAny(items, { timeout: 0 }), [things[which]], 'nothing was taken');
  });
}

test('all that are ready, in their order', async (t) => {
  const things = all(t);
  makeReady.event(things);
  makeReady.put(things);
  assert.deepEqual(await waitAny([things.queue, things.event, things.put]), [things.event, things.put]);
});

test('a set that a clear follows at once counts', async (t) => {
  const { queue, event } = all(t);
  const waiting = waitAny([queue, event]);
  event.set();
  event.clear();
  assert.deepEqual(await waiting, [event]);
});

test('is aborted, and leaves nothing waiting', async (t) => {
  const { queue, put, event } = all(t);
  const reason = new Error('enough');
  const controller = new AbortController();
  const waiting = waitAny([queue, put, event], { signal: controller.signal });
  await sleep(5);
  controller.abort(reason);
  await assert.rejects(waiting, reason);
  assert.equal(require('node:events').getEventListeners(controller.signal, 'abort').length, 0);
  queue.tryPut(bytes('x'));
  assert.equal(String(await queue.get()), 'x');
});

test('one of them is closed', async (t) => {
  const { queue, event } = all(t);
  for (const end of [queue, event]) {
    const waiting = waitAny([queue, event]);
    await sleep(5);
    end.close();
    await assert.rejects(waiting, withCode('E_CLOSED'));
    await assert.rejects(waitAny([end]), withCode('E_CLOSED'));
    break;
  }
});

test('200 queues, more than one sleep can watch', async (t) => {
  const queues = Array.from({ length: 200 }, () => anonymous(t, Queue));
  const waiting = waitAny(queues);
  await sleep(10);
  queues[150].tryPut(bytes('x'));
  assert.deepEqual(await waiting, [queues[150]]);
});

test('bad arguments', async (t) => {
  await assert.rejects(waitAny(), TypeError);
  await assert.rejects(waitAny([]), RangeError);
  for (const item of [null, undefined, {}, { put: 5 }, anonymous(t, Lock)]) await assert.rejects(waitAny([item]), TypeError);
});
