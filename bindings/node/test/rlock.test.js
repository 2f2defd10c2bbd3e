'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { RLock } = require('..');
const { anonymous, leavesNothingBehind, named, sleep, start, twin, withCode } = require('./helpers.js');

leavesNothingBehind();

test('an owner takes it again, and releases it as often', async (t) => {
  const rlock = anonymous(t, RLock);
  const other = twin(t, rlock);
  const held = await rlock.acquire({ owner: 1 });
  assert.equal(held.ownerDied, false);
  await rlock.acquire({ owner: 1 });
  other.tryAcquire({ owner: 1 });
  assert.equal(rlock.depth, 3);
  assert.equal(rlock.tryAcquire({ owner: 2 }), undefined);
  assert.throws(() => rlock.release({ owner: 2 }), withCode('E_NOT_OWNER'));
  held.release();
  rlock.release({ owner: 1 });
  assert.equal(rlock.tryAcquire({ owner: 2 }), undefined);
  rlock.release({ owner: 1 });
  assert.equal(rlock.depth, 0);
  assert.throws(() => rlock.release({ owner: 1 }), withCode('E_NOT_OWNER'));
});

test('without a word the owner is this thread', async (t) => {
  const rlock = anonymous(t, RLock);
  (await rlock.acquire()) && rlock.tryAcquire();
  assert.equal(rlock.depth, 2);
  assert.throws(() => rlock.release({ owner: 1 }), withCode('E_NOT_OWNER'));
  rlock.release();
  rlock.release();
  assert.equal(rlock.depth, 0);
});

test('its owner goes past those that wait for it', async (t) => {
  const rlock = anonymous(t, RLock);
  await rlock.acquire({ owner: 1 });
  const waiting = rlock.acquire({ owner: 2 });
  await sleep(10);
  await rlock.acquire({ owner: 1, timeout: 5000 });
  rlock.release({ owner: 1 });
  rlock.release({ owner: 1 });
  (await waiting).release();
  assert.equal(rlock.depth, 0);
});

test('the tasks of holds keep each other out, and take it again themselves', async (t) => {
  const rlock = anonymous(t, RLock);
  let inside = 0;
  const deep = (n) =>
    rlock.hold(async () => {
      await sleep(1);
      return n === 0 ? rlock.depth : deep(n - 1);
    });
  const task = () =>
    rlock.hold(async () => {
      assert.equal(++inside, 1);
      assert.equal(await deep(3), 5);
      rlock.tryAcquire().release();
      inside--;
    });
  await Promise.all([task(), task(), task()]);
  assert.equal(rlock.depth, 0);
  await assert.rejects(
    rlock.hold(() => {
      throw new Error('inside');
    }),
    /inside/,
  );
  assert.equal(rlock.depth, 0);
});

test('times out, and is aborted', async (t) => {
  const rlock = anonymous(t, RLock);
  await rlock.acquire({ owner: 1 });
  await assert.rejects(rlock.acquire({ owner: 2, timeout: 0 }), withCode('E_TIMEOUT'));
  await assert.rejects(rlock.acquire({ owner: 2, timeout: 20 }), withCode('E_TIMEOUT'));
  await assert.rejects(rlock.acquire({ owner: 2, signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' });
  const waiting = rlock.acquire({ owner: 2 });
  await sleep(5);
  rlock.close();
  await assert.rejects(waiting, withCode('E_CLOSED'));
});

test('bad owners', async (t) => {
  const rlock = anonymous(t, RLock);
  for (const owner of [0, 1.5, NaN, 2 ** 53]) assert.throws(() => rlock.tryAcquire({ owner }), RangeError, `${owner}`);
  for (const owner of ['1', null, 1n]) assert.throws(() => rlock.tryAcquire({ owner }), TypeError, `${owner}`);
  await assert.rejects(rlock.acquire(null), TypeError);
  await assert.rejects(rlock.hold('work'), TypeError);
});

test('held by a process that was killed it passes on', async (t) => {
  const rlock = named(t, RLock);
  const { child, line, ended } = start(t, 'holds', ['RLock', rlock.name]);
  assert.equal(await line(), 'holds');
  assert.equal(rlock.tryAcquire(), undefined);
  const waiting = rlock.acquire();
  await sleep(20);
  child.kill('SIGKILL');
  assert.equal((await waiting).ownerDied, true);
  rlock.release();
  await ended;
});
