'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Barrier, Condition, Event, Lock, Queue, RLock, Semaphore, list } = require('..');
const { anonymous, leavesNothingBehind, named, sleep, start, twin, withCode } = require('./helpers.js');

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

test('semaphore: owned permits are those of their process', async (t) => {
  const semaphore = named(t, Semaphore, { initial: 4, owned: true });
  assert.throws(() => semaphore.release(), withCode('E_NOT_OWNER'));
  await semaphore.acquire();
  assert.throws(() => semaphore.release(2), withCode('E_OVER_RELEASE'));
  semaphore.release();
  const { child, line, ended } = start(t, 'holds', ['Semaphore', semaphore.name, 4], { nodeArguments: ['--expose-gc'] });
  assert.equal(await line(), 'holds');
  await sleep(50); // it collects garbage, and still has them
  assert.equal(semaphore.value, 0);
  assert.throws(() => semaphore.release(), withCode('E_NOT_OWNER'));
  const waiting = [semaphore.acquire(), semaphore.acquire(), semaphore.acquire(), semaphore.acquire()];
  await sleep(20);
  child.kill('SIGKILL');
  await Promise.all(waiting);
  assert.equal(semaphore.value, 0);
  await ended;
});

test('the named objects are listed', (t) => {
  const lock = named(t, Lock, { mode: 0o640 });
  lock.tryAcquire(); // a process counts once it has used the object
  const queue = named(t, Queue);
  const found = list();
  const { kind, mode, processes, waiting, bytes } = found.find(({ name }) => name === lock.name);
  assert.deepEqual({ kind, mode, processes, waiting }, { kind: 'lock', mode: 0o640, processes: 1, waiting: 0 });
  assert.ok(bytes > 0);
  assert.equal(found.find(({ name }) => name === queue.name).kind, 'queue');
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
  const all = [Lock, RLock, Semaphore, Event, Condition, Queue].map((Class) => named(t, Class));
  for (const object of all) {
    for (const Class of [Lock, RLock, Semaphore, Event, Condition, Barrier, Queue]) {
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
