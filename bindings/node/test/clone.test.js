'use strict';

// Objects belong to one thread of JavaScript: structuredClone, postMessage and a queue refuse them.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { MessageChannel, Worker } = require('node:worker_threads');
const polyproc = require('..');
const { anonymous, leavesNothingBehind, poolOf } = require('./helpers.js');

const { Barrier, Condition, Event, Listener, Lock, Process, Queue, RLock, Semaphore } = polyproc;

leavesNothingBehind();

async function everything(t) {
  const objects = [Lock, RLock, Semaphore, Event, Condition, Queue].map((Class) => anonymous(t, Class));
  const queue = anonymous(t, Queue, { format: 'msgpack' });
  const bytes = anonymous(t, Queue);
  queue.tryPut(1);
  bytes.tryPut(Buffer.alloc(1));
  const held = objects[0].tryAcquire();
  const messages = [queue.tryTake(), bytes.tryTake()];
  const slots = [bytes.tryReserve(1), bytes.tryReserve(100_000)];
  const closing = [Barrier.create(1), ...polyproc.pipe(), Listener.create('tcp://127.0.0.1:0'), Process.adopt(process.ppid)];
  const pool = poolOf(t, { workers: 1 });
  const task = pool.submit('square', 1);
  await task;
  t.after(() => {
    messages.forEach((message) => message.done());
    slots.forEach((slot) => slot.abort());
    closing.forEach((object) => object.close());
  });
  return [...objects, ...closing, ...messages, ...slots, held, pool, task, queue.values(), queue.messages()];
}

test('handles, and what is made of them, cannot be cloned', async (t) => {
  const { port1, port2 } = new MessageChannel();
  t.after(() => port1.close());
  for (const object of await everything(t)) {
    const what = object.constructor.name;
    for (const value of [object, { inside: [object] }]) {
      assert.throws(() => structuredClone(value), { name: 'DataCloneError' }, what);
      assert.throws(() => port2.postMessage(value), { name: 'DataCloneError' }, what);
      assert.throws(() => new Worker('', { eval: true, workerData: value }), { name: 'DataCloneError' }, what);
    }
  }
});

test('nor can they be put into a queue of values', async (t) => {
  const queue = anonymous(t, Queue, { format: 'msgpack' });
  for (const object of await everything(t)) {
    assert.throws(() => queue.tryPut(object), TypeError, object.constructor.name);
    assert.throws(() => queue.tryPut({ inside: [object] }), TypeError, object.constructor.name);
  }
  assert.equal(queue.isEmpty, true);
});
