'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Condition, Lock, RLock } = require('..');
const { anonymous, leavesNothingBehind, named, sleep, start, twin, until, withCode } = require('./helpers.js');

leavesNothingBehind();

/** Waits until n wait: each has released the lock by then, and can be notified. */
async function untilWaiting(condition, lock, n) {
  await until(() => waiting(condition) === n && !lock.isLocked, `${n} wait`);
}

const { list } = require('..');
const waiting = (condition) => list().find(({ name }) => name === condition.name).waiting;

test('a wait lets the lock go and has it again', async (t) => {
  const condition = named(t, Condition);
  const lock = anonymous(t, Lock);
  await lock.acquire();
  const wait = condition.wait(lock);
  await untilWaiting(condition, lock, 1);
  await lock.acquire();
  condition.notify();
  let settled = false;
  wait.then(() => (settled = true));
  await sleep(20);
  assert.equal(settled, false, 'the lock is still taken');
  lock.release();
  const held = await wait;
  assert.equal(held.ownerDied, false);
  assert.equal(lock.isLocked, true);
  held.release();
});

test('notify lets one go, notifyAll all', async (t) => {
  const condition = named(t, Condition);
  const lock = anonymous(t, Lock);
  let through = 0;
  const waits = Array.from({ length: 6 }, async () => {
    await lock.acquire();
    await condition.wait(lock);
    through++;
    lock.release();
  });
  await untilWaiting(condition, lock, 6);
  condition.notify();
  await until(() => through === 1, 'one is through');
  condition.notify(2);
  await until(() => through === 3, 'three are through');
  await sleep(10);
  assert.equal(through, 3);
  condition.notifyAll();
  await Promise.all(waits);
  condition.notifyAll(); // nobody waits
  condition.notify(0);
});

test('an rlock is let go altogether, and taken again as often', async (t) => {
  const condition = named(t, Condition);
  const rlock = anonymous(t, RLock);
  const wait = rlock.hold(() =>
    rlock.hold(async () => {
      await condition.wait(rlock);
      return rlock.depth;
    }),
  );
  await until(() => waiting(condition) === 1, 'it waits');
  assert.equal(rlock.depth, 0);
  await rlock.hold(() => condition.notify());
  assert.equal(await wait, 2);
  assert.equal(rlock.depth, 0);

  await rlock.acquire({ owner: 7 });
  await assert.rejects(condition.wait(rlock, { owner: 8 }), withCode('E_NOT_OWNER'));
  await assert.rejects(condition.wait(rlock, { owner: 7, timeout: 5 }), withCode('E_TIMEOUT'));
  assert.equal(rlock.depth, 1);
  rlock.release({ owner: 7 });
});

test('after a timeout and an abort the lock is held', async (t) => {
  const condition = anonymous(t, Condition);
  const lock = anonymous(t, Lock);
  await lock.acquire();
  await assert.rejects(condition.wait(lock, { timeout: 0 }), withCode('E_TIMEOUT'));
  await assert.rejects(condition.wait(lock, { timeout: 20 }), withCode('E_TIMEOUT'));
  assert.equal(lock.isLocked, true);
  await assert.rejects(condition.wait(lock, { signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' });
  assert.equal(lock.isLocked, true);
  lock.release();
  await assert.rejects(condition.wait(lock), withCode('E_NOT_OWNER'));
});

test('waitFor asks under the lock', async (t) => {
  const condition = anonymous(t, Condition);
  const lock = anonymous(t, Lock);
  let value = 0;
  const counting = (async () => {
    for (let i = 0; i < 3; i++) {
      await sleep(5);
      await lock.hold(() => {
        value++;
        condition.notifyAll();
      });
    }
  })();
  await lock.acquire();
  const found = await condition.waitFor(lock, () => {
    assert.equal(lock.isLocked, true);
    return value === 3 && 'three';
  });
  assert.equal(found, 'three');
  await assert.rejects(
    condition.waitFor(lock, () => false, { timeout: 20 }),
    withCode('E_TIMEOUT'),
  );
  lock.release();
  await counting;
});

test('closed while somebody waits: the condition, then the lock', async (t) => {
  const condition = named(t, Condition);
  const other = Condition.open(condition.name);
  const lock = anonymous(t, Lock);
  const same = twin(t, lock);
  await lock.acquire();
  const wait = other.wait(lock);
  await untilWaiting(condition, lock, 1);
  other.close();
  await assert.rejects(wait, withCode('E_CLOSED'));
  assert.equal(lock.isLocked, true);
  const again = condition.wait(same);
  await untilWaiting(condition, lock, 1);
  same.close();
  await assert.rejects(again, withCode('E_CLOSED'));
});

test('a program that waits at a condition whose lock is taken can end', async (t) => {
  const condition = named(t, Condition);
  const lock = named(t, Lock);
  const { child, ended, line } = start(t, 'meets', ['condition', condition.name, lock.name]);
  await untilWaiting(condition, lock, 1);
  await lock.acquire();
  child.stdin.write('exit\n');
  assert.equal(await line(), 'exits');
  assert.deepEqual(await ended, { code: 5, signal: null });
  lock.release();
});

test('a waiter that was killed or stopped holds up nobody', async (t) => {
  const condition = named(t, Condition);
  const lock = named(t, Lock);
  const killed = start(t, 'meets', ['condition', condition.name, lock.name]);
  const stopped = start(t, 'meets', ['condition', condition.name, lock.name]);
  await untilWaiting(condition, lock, 2);
  await lock.acquire();
  const wait = condition.wait(lock);
  await untilWaiting(condition, lock, 3);
  stopped.child.kill('SIGSTOP');
  killed.child.kill('SIGKILL');
  await killed.ended;
  const begin = performance.now();
  condition.notifyAll();
  assert.ok(performance.now() - begin < 1000);
  (await wait).release();
});

test('bad arguments', async (t) => {
  const condition = anonymous(t, Condition);
  const lock = anonymous(t, Lock);
  for (const bad of [undefined, null, {}, condition]) await assert.rejects(condition.wait(bad), TypeError);
  await assert.rejects(condition.wait(lock, { timeout: '5' }), TypeError);
  await assert.rejects(condition.waitFor(lock, 5), TypeError);
  for (const n of [-1, 1.5, 2 ** 32]) assert.throws(() => condition.notify(n), RangeError);
  condition.close();
  assert.throws(() => condition.notify(), withCode('E_CLOSED'));
  assert.throws(() => condition.notifyAll(), withCode('E_CLOSED'));
  await assert.rejects(condition.wait(lock), withCode('E_CLOSED'));
});
