'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Barrier } = require('..');
const { leavesNothingBehind, prefix, sleep, start, until, withCode } = require('./helpers.js');

leavesNothingBehind();

/** An error of `wait` said "arrive", and not what mends the barrier. */
const BROKEN_IN_WAIT = /^wait: the barrier is broken: a party died or gave up; reset mends it$/;

function barrierOf(t, parties) {
  const barrier = Barrier.create(parties);
  t.after(() => barrier.close());
  return barrier;
}

test('parties go on together, each with its own number, round by round', async (t) => {
  const barrier = barrierOf(t, 5);
  assert.equal(barrier.parties, 5);
  let arrived = 0;
  const party = async () => {
    const indexes = [];
    for (let round = 1; round <= 10; round++) {
      arrived++;
      indexes.push(await barrier.wait());
      assert.ok(arrived >= 5 * round, `${arrived} had arrived in round ${round}`);
    }
    return indexes;
  };
  const all = await Promise.all(Array.from({ length: 5 }, party));
  for (let round = 0; round < 10; round++) {
    assert.deepEqual(all.map((indexes) => indexes[round]).sort(), [0, 1, 2, 3, 4]);
  }
  assert.equal(barrier.waiting, 0);
});

test('one of them acts while the others are held', async (t) => {
  const barrier = barrierOf(t, 3);
  let acted = 0;
  const action = async () => {
    await sleep(10);
    acted++;
  };
  await Promise.all(
    Array.from({ length: 3 }, async () => {
      await barrier.wait({ action });
      assert.equal(acted, 1);
    }),
  );
  const failing = Array.from({ length: 3 }, () =>
    barrier.wait({
      action: () => {
        throw new Error('acting');
      },
    }),
  );
  const reasons = (await Promise.allSettled(failing)).map(({ reason }) => reason);
  for (const { message } of reasons.filter(({ code }) => code)) assert.match(message, BROKEN_IN_WAIT);
  await assert.rejects(barrier.wait({ action }), { message: BROKEN_IN_WAIT });
  const messages = reasons.map(({ code, message }) => code ?? message);
  assert.deepEqual(messages.sort(), ['E_BROKEN_BARRIER', 'E_BROKEN_BARRIER', 'acting']);
  assert.equal(barrier.isBroken, true);
});

test('arrive and complete', async (t) => {
  const barrier = barrierOf(t, 2);
  const parties = [barrier.arrive(), barrier.arrive()];
  const first = await Promise.race(parties);
  assert.equal(first.isLeader, true);
  assert.equal(barrier.waiting, 1, 'the other is held');
  barrier.complete();
  const all = await Promise.all(parties);
  assert.deepEqual(all.map(({ index }) => index).sort(), [0, 1]);
  assert.deepEqual(all.map(({ isLeader }) => isLeader).sort(), [false, true]);
  assert.throws(() => barrier.complete(), withCode('E_NOT_OWNER'));
});

test('who gives up breaks it for all', async (t) => {
  for (const giveUp of [() => ({ timeout: 20 }), () => ({ signal: AbortSignal.timeout(20) }), () => ({ timeout: 0 })]) {
    const barrier = barrierOf(t, 3);
    const other = barrier.wait();
    await until(() => barrier.waiting === 1, 'one waits');
    // Both at once: either may end first.
    await Promise.all([assert.rejects(barrier.wait(giveUp())), assert.rejects(other, withCode('E_BROKEN_BARRIER'))]);
    assert.equal(barrier.isBroken, true);
    await assert.rejects(barrier.wait(), withCode('E_BROKEN_BARRIER'));
    barrier.reset();
    assert.equal(barrier.isBroken, false);
    assert.deepEqual((await Promise.all([barrier.wait(), barrier.wait(), barrier.wait()])).sort(), [0, 1, 2]);
  }
});

test('the last one needs no time', async (t) => {
  const barrier = barrierOf(t, 2);
  const other = barrier.wait();
  await until(() => barrier.waiting === 1, 'one waits');
  const indexes = [await barrier.wait({ timeout: 0 }), await other];
  assert.deepEqual(indexes.sort(), [0, 1]);
});

test('abort and reset', async (t) => {
  const barrier = barrierOf(t, 2);
  for (const end of ['abort', 'reset']) {
    const wait = barrier.wait();
    await until(() => barrier.waiting === 1, 'one waits');
    barrier[end]();
    await assert.rejects(wait, withCode('E_BROKEN_BARRIER'));
    assert.equal(barrier.isBroken, end === 'abort');
    barrier.reset();
  }
});

test('a party that is killed breaks it at once, for the one that waits', async (t) => {
  const barrier = Barrier.create(3, { name: `${prefix}barrier` });
  t.after(() => {
    require('..').unlink(barrier.name);
    barrier.close();
  });
  const { child, ended } = start(t, 'meets', ['barrier', barrier.name]);
  const wait = barrier.wait();
  await until(() => barrier.waiting === 2, 'two wait');
  child.kill('SIGKILL');
  await assert.rejects(wait, withCode('E_BROKEN_BARRIER'));
  await ended;
  await assert.rejects(barrier.wait(), { code: 'E_BROKEN_BARRIER', message: BROKEN_IN_WAIT });
});

test('closed', async () => {
  const barrier = Barrier.create(2);
  const wait = barrier.wait();
  await until(() => barrier.waiting === 1, 'one waits');
  barrier.close();
  await assert.rejects(wait, withCode('E_CLOSED'));
  for (const call of [
    () => barrier.abort(),
    () => barrier.reset(),
    () => barrier.complete(),
    () => barrier.parties,
    () => barrier.waiting,
    () => barrier.isBroken,
  ]) {
    assert.throws(call, withCode('E_CLOSED'), String(call));
  }
  await assert.rejects(barrier.wait(), withCode('E_CLOSED'));
});

test('bad arguments', async (t) => {
  for (const parties of [0, -1, 1025, 1.5]) assert.throws(() => Barrier.create(parties), RangeError);
  assert.throws(() => Barrier.create(), TypeError);
  assert.throws(() => Barrier.create({}), TypeError);
  const barrier = barrierOf(t, 1);
  await assert.rejects(barrier.wait({ action: 5 }), TypeError);
  assert.throws(() => barrier.complete('yes'), TypeError);
  assert.equal(await barrier.wait(), 0);
});
