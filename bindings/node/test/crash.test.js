'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Lock, Queue } = require('..');
const { leavesNothingBehind, named, start, withCode } = require('./helpers.js');

leavesNothingBehind();

const bytes = (text) => Buffer.from(text);
const soon = { timeout: 10_000 };

/** Starts a child that does `act` with the object, and kills it. */
async function kill(t, object, act) {
  const { child, ended, line } = start(t, 'dies', [object.constructor.name, act, object.name]);
  assert.equal(await line(), 'ready');
  return async () => {
    child.kill('SIGKILL');
    assert.equal((await ended).signal, 'SIGKILL');
  };
}

test('a message taken by one that was killed is delivered again', async (t) => {
  const queue = named(t, Queue, { joinable: true });
  queue.tryPutMany([bytes('task'), bytes('next')]);
  const killed = await kill(t, queue, 'take');
  assert.equal(queue.info().inFlight, 1);
  await killed();
  const messages = [await queue.take(soon), await queue.take(soon)];
  const deliveries = Object.fromEntries(messages.map((message) => [message.value, message.deliveries]));
  assert.deepEqual(deliveries, { task: 2, next: 1 });
  for (const message of messages) message.done();
  await queue.join(soon);
  assert.equal(queue.info().redelivered, 1);
});

test('a task got by one that was killed is delivered again to one that waits', async (t) => {
  const queue = named(t, Queue, { joinable: true });
  queue.tryPut(bytes('task'));
  const killed = await kill(t, queue, 'get');
  const again = queue.get(soon);
  const joined = queue.join(soon);
  await killed();
  assert.equal(String(await again), 'task');
  queue.taskDone();
  await joined;
});

test('a slot reserved by one that was killed sends nothing', async (t) => {
  const queue = named(t, Queue, { maxItems: 2 });
  const killed = await kill(t, queue, 'reserve');
  queue.tryPut(bytes('1'));
  await killed();
  await queue.put(bytes('2'), soon); // its room is free again
  assert.equal(String(await queue.get(soon)), '1');
  assert.equal(String(await queue.get(soon)), '2');
  await assert.rejects(queue.get({ timeout: 10 }), withCode('E_EMPTY'));
});

test('a lock held by one that was killed passes on', async (t) => {
  const lock = named(t, Lock);
  const killed = await kill(t, lock, 'acquire');
  assert.equal(lock.tryAcquire(), undefined);
  const waiting = lock.acquire(soon);
  await killed();
  assert.equal((await waiting).ownerDied, true);
  lock.release();
  assert.equal((await lock.acquire()).ownerDied, false);
  lock.release();
});

test('a lock held by one that was killed, nobody waiting', async (t) => {
  const lock = named(t, Lock);
  await (await kill(t, lock, 'acquire'))();
  assert.equal(lock.tryAcquire().ownerDied, true);
  lock.release();
});

test('one that waited and was killed takes nothing along', async (t) => {
  const queue = named(t, Queue);
  await (await kill(t, queue, 'wait'))();
  queue.tryPut(bytes('for me'));
  assert.equal(String(await queue.get(soon)), 'for me');
});
