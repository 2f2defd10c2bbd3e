'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Event, Lock, Queue, Semaphore } = require('..');
const { anonymous, leavesNothingBehind, named, sleep, twin, withCode } = require('./helpers.js');

leavesNothingBehind();

test('lock: acquire, try, release', async (t) => {
  const lock = anonymous(t, Lock);
  const other = twin(t, lock);
  assert.equal(lock.isLocked, false);
  const held = await lock.acquire();
  assert.equal(held.ownerDied, false);
  assert.equal(lock.isLocked, true);
  assert.equal(other.tryAcquire(), undefined);
  assert.equal(lock.tryAcquire(), undefined);
  other.release();
  assert.throws(() => lock.release(), withCode('E_OVER_RELEASE'));
  assert.equal(other.tryAcquire().ownerDied, false);
  lock.release();
});

test('lock: held and disposed', async (t) => {
  const lock = anonymous(t, Lock);
  (await lock.acquire()).release();
  assert.equal(lock.isLocked, false);
  if (Symbol.dispose) {
    (await lock.acquire())[Symbol.dispose]();
    assert.equal(lock.isLocked, false);
  }
});

test('lock: hold', async (t) => {
  const lock = anonymous(t, Lock);
  let inside = 0;
  const work = async ({ ownerDied }) => {
    assert.equal(ownerDied, false);
    assert.equal(++inside, 1);
    await sleep(1);
    inside--;
    return 'done';
  };
  const results = await Promise.all(Array.from({ length: 10 }, () => lock.hold(work)));
  assert.deepEqual(results, Array(10).fill('done'));
  await assert.rejects(
    lock.hold(() => {
      throw new Error('inside');
    }),
    /inside/,
  );
  assert.equal(lock.isLocked, false);
});

test('semaphore: counts', async (t) => {
  const semaphore = anonymous(t, Semaphore, { initial: 2, maximum: 3 });
  assert.equal(semaphore.value, 2);
  await semaphore.acquire();
  assert.equal(semaphore.tryAcquire(), true);
  assert.equal(semaphore.tryAcquire(), false);
  assert.equal(semaphore.value, 0);
  semaphore.release(2);
  semaphore.release();
  assert.throws(() => semaphore.release(), withCode('E_OVER_RELEASE'));
  assert.throws(() => semaphore.release(5), withCode('E_OVER_RELEASE'));
  assert.equal(semaphore.value, 3);
});

test('semaphore: one permit when nothing is said, no bound', (t) => {
  const semaphore = anonymous(t, Semaphore);
  assert.equal(semaphore.value, 1);
  semaphore.release(1000);
  assert.equal(semaphore.value, 1001);
});

test('semaphore: never more inside than permits', async (t) => {
  const semaphore = anonymous(t, Semaphore, { initial: 4 });
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 13 }, async () => {
      await semaphore.acquire();
      most = Math.max(most, ++inside);
      await sleep(1);
      inside--;
      semaphore.release();
    }),
  );
  assert.equal(most, 4);
  assert.equal(semaphore.value, 4);
});

test('event: set, clear, wait', async (t) => {
  const event = anonymous(t, Event);
  const other = twin(t, event);
  assert.equal(event.isSet, false);
  const waiting = [event.wait(), event.wait(), other.wait()];
  await sleep(10);
  other.set();
  await Promise.all(waiting);
  assert.equal(event.isSet, true);
  await event.wait();
  await event.wait({ timeout: 0 });
  event.clear();
  assert.equal(other.isSet, false);
  await assert.rejects(event.wait({ timeout: 0 }), withCode('E_TIMEOUT'));
});

test('named primitives, and each kind refuses the others', (t) => {
  const all = [named(t, Lock), named(t, Semaphore, { initial: 3 }), named(t, Event), named(t, Queue)];
  for (const object of all) {
    for (const Class of [Lock, Semaphore, Event, Queue]) {
      if (object instanceof Class) {
        Class.open(object.name).close();
      } else {
        assert.throws(() => Class.open(object.name), withCode('E_MISMATCH'));
        assert.throws(() => twinAs(object, Class), withCode('E_MISMATCH'));
      }
    }
  }
});

function twinAs(object, Class) {
  const fd = object.shareFd();
  try {
    return Class.fromFd(fd);
  } finally {
    require('node:fs').closeSync(fd);
  }
}

test('closed primitives', async () => {
  const lock = Lock.create();
  const semaphore = Semaphore.create();
  const event = Event.create();
  for (const object of [lock, semaphore, event]) object.close();
  for (const call of [
    () => lock.tryAcquire(),
    () => lock.release(),
    () => lock.isLocked,
    () => semaphore.tryAcquire(),
    () => semaphore.release(),
    () => semaphore.value,
    () => event.set(),
    () => event.clear(),
    () => event.isSet,
  ]) {
    assert.throws(call, withCode('E_CLOSED'), String(call));
  }
  for (const promise of [lock.acquire(), semaphore.acquire(), event.wait()]) {
    await assert.rejects(promise, withCode('E_CLOSED'));
  }
});
