'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { markAsUntransferable } = require('node:worker_threads');
const { Message, Queue, Slot } = require('..');
const { anonymous, leavesNothingBehind, twin, withCode } = require('./helpers.js');

leavesNothingBehind();

const LONG = 100_000; // a view of shared memory; short ones are copies

for (const length of [10, LONG]) {
  test(`take and done, ${length} bytes`, async (t) => {
    const queue = anonymous(t, Queue);
    queue.tryPut(Buffer.alloc(length, 1));
    const message = queue.tryTake();
    assert.ok(message instanceof Message);
    assert.equal(message.length, length);
    assert.equal(message.deliveries, 1);
    assert.equal(typeof message.id, 'bigint');
    assert.ok(message.data.equals(Buffer.alloc(length, 1)));
    assert.equal(message.data, message.data);
    assert.equal(queue.info().inFlight, 1);
    assert.equal(message.settled, false);
    message.done();
    assert.equal(message.settled, true);
    assert.equal(queue.info().inFlight, 0);
    assert.throws(() => message.done(), withCode('E_INVALID'));
    assert.throws(() => message.return(), withCode('E_INVALID'));
    assert.equal(queue.tryTake(), undefined);
  });

  test(`many are done in one call, ${length} bytes`, async (t) => {
    const queue = anonymous(t, Queue, { joinable: true });
    for (const count of [0, 1, 40, length === LONG ? 41 : 1500]) {
      queue.tryPutMany(Array.from({ length: count }, (_, i) => Buffer.alloc(length, i)));
      const taken = [];
      while (taken.length < count) taken.push(...queue.tryTakeMany(2000));
      const views = taken.map(({ data }) => data);
      Message.doneMany(taken);
      assert.equal(queue.info().unfinished, 0);
      assert.ok(taken.every(({ settled }) => settled));
      if (length === LONG) assert.ok(views.every((view) => view.length === 0));
    }
    queue.tryPutMany([Buffer.alloc(length), Buffer.alloc(length), Buffer.alloc(length)]);
    const [first, second, third] = queue.tryTakeMany(3);
    assert.throws(() => Message.doneMany([first, second, first, third]), withCode('E_INVALID'));
    assert.deepEqual([first.settled, second.settled, third.settled], [true, true, false]);
    assert.equal(queue.info().inFlight, 1);
    third.done();
    assert.throws(() => Message.doneMany([{}]), TypeError);
    assert.throws(() => Message.doneMany('text'), TypeError);
  });

  test(`a message returned is first in line again, ${length} bytes`, async (t) => {
    const queue = anonymous(t, Queue);
    queue.tryPutMany([Buffer.alloc(length, 1), Buffer.alloc(length, 2)]);
    const first = await queue.take();
    const { id } = first;
    first.return();
    const again = await queue.take();
    assert.equal(again.id, id);
    assert.equal(again.deliveries, 2);
    assert.equal(again.data[0], 1);
    again.done();
    const second = await queue.take();
    assert.equal(second.deliveries, 1);
    second.done();
  });

  test(`reserve and commit, ${length} bytes`, async (t) => {
    const queue = anonymous(t, Queue);
    const slot = queue.tryReserve(length);
    assert.ok(slot instanceof Slot);
    assert.equal(slot.data.length, length);
    slot.data.fill(3);
    slot.commit();
    assert.equal(slot.settled, true);
    assert.throws(() => slot.commit(), withCode('E_INVALID'));
    const part = await queue.reserve(length);
    part.data.fill(4);
    part.commit(5);
    assert.ok(queue.tryGet().equals(Buffer.alloc(length, 3)));
    assert.ok(queue.tryGet().equals(Buffer.alloc(5, 4)));
  });

  test(`an aborted slot sends nothing, ${length} bytes`, (t) => {
    const queue = anonymous(t, Queue);
    const slot = queue.tryReserve(length);
    queue.tryPut(Buffer.from('behind'));
    slot.abort();
    assert.throws(() => slot.abort(), withCode('E_INVALID'));
    assert.equal(String(queue.tryGet()), 'behind');
    assert.equal(queue.tryGet(), undefined);
  });

  test(`a loan outlives its handle, ${length} bytes`, (t) => {
    const other = anonymous(t, Queue);
    const queue = twin(t, other);
    queue.tryPut(Buffer.alloc(length, 5));
    const message = queue.tryTake();
    const slot = queue.tryReserve(length);
    queue.close();
    assert.ok(message.data.equals(Buffer.alloc(length, 5)));
    message.return();
    slot.data.fill(6);
    slot.commit();
    const again = other.tryTake();
    assert.equal(again.deliveries, 2);
    again.done();
    assert.equal(other.tryGet()[0], 6);
  });
}

test('the view of a settled message is empty', (t) => {
  const queue = anonymous(t, Queue);
  queue.tryPutMany([Buffer.alloc(LONG, 1), Buffer.alloc(LONG, 2)]);
  const message = queue.tryTake();
  const view = message.data;
  const part = view.subarray(10, 20);
  assert.equal(part[0], 1);
  message.done();
  assert.equal(view.length, 0);
  assert.equal(part.length, 0);
  assert.equal(part[0], undefined);
  assert.throws(() => queue.tryPut(view), TypeError);
  const returned = queue.tryTake();
  const second = returned.data;
  returned.return();
  assert.equal(second.length, 0);
  const untouched = queue.tryTake();
  untouched.done();
  assert.throws(() => untouched.data, withCode('E_INVALID'));
});

test('the view of a settled slot is empty', (t) => {
  const queue = anonymous(t, Queue);
  const slot = queue.tryReserve(LONG);
  slot.data.fill(1);
  const { data } = slot;
  slot.commit(10);
  assert.equal(data.length, 0);
  assert.equal(queue.tryGet().length, 10);
});

test('a view cannot be posted away from its loan', (t) => {
  const queue = anonymous(t, Queue);
  queue.tryPut(Buffer.alloc(LONG, 1));
  const message = queue.tryTake();
  let copy;
  try {
    copy = structuredClone(message.data.buffer, { transfer: [message.data.buffer] });
  } catch (error) {
    assert.equal(error.name, 'DataCloneError'); // some versions of Node say no, others copy
  }
  assert.equal(message.data.length, LONG);
  message.done();
  if (copy !== undefined) assert.ok(Buffer.from(copy).equals(Buffer.alloc(LONG, 1)));
});

if (ArrayBuffer.prototype.transfer !== undefined) {
  test('a message whose view was transferred stays in flight: its memory is in use', (t) => {
    const queue = anonymous(t, Queue);
    queue.tryPut(Buffer.alloc(LONG, 1));
    const message = queue.tryTake();
    const moved = message.data.buffer.transfer();
    for (const settle of [() => message.done(), () => message.return(), () => Message.doneMany([message])]) {
      assert.throws(settle, withCode('E_INVALID'));
      assert.throws(settle, /transferred/);
    }
    assert.equal(message.settled, false);
    assert.equal(queue.info().inFlight, 1);
    queue.tryPut(Buffer.alloc(LONG, 2));
    queue.tryTake().done();
    assert.ok(Buffer.from(moved).equals(Buffer.alloc(LONG, 1)));
  });

  test('a slot whose view was transferred stays reserved', (t) => {
    const queue = anonymous(t, Queue);
    const slot = queue.tryReserve(LONG);
    slot.data.buffer.transfer();
    assert.throws(() => slot.commit(), withCode('E_INVALID'));
    assert.throws(() => slot.abort(), withCode('E_INVALID'));
    assert.equal(slot.settled, false);
  });
}

test('a view that its user has marked as untransferable does not abort the process', (t) => {
  const queue = anonymous(t, Queue);
  queue.tryPut(Buffer.alloc(LONG));
  const message = queue.tryTake();
  markAsUntransferable(message.data.buffer);
  try {
    message.done();
  } catch (error) {
    withCode('E_INVALID')(error); // since Node 24 nobody can detach it
  }
  assert.equal(message.settled, queue.info().inFlight === 0);
});

for (const length of [10, 4096, 4097, LONG]) {
  test(`data and value of a settled message throw, ${length} bytes as any other length`, (t) => {
    const queue = anonymous(t, Queue);
    for (const [isLookedAt, settle] of [[true, 'done'], [true, 'return'], [false, 'done'], [false, 'return']]) {
      queue.tryPut(Buffer.alloc(length));
      const message = queue.tryTake();
      if (isLookedAt) assert.equal(message.data.length, length);
      message[settle]();
      assert.throws(() => message.data, withCode('E_INVALID'));
      assert.throws(() => message.value, withCode('E_INVALID'));
      queue.tryGet();
    }
  });
}

test('views of the same memory, one after the other', (t) => {
  const queue = anonymous(t, Queue);
  for (let i = 0; i < 2000; i++) {
    const slot = queue.tryReserve(20_000);
    slot.data.writeUInt32LE(i, 19_000);
    slot.commit();
    const message = queue.tryTake();
    assert.equal(message.data.readUInt32LE(19_000), i);
    if (i % 3 === 0) message.return();
    else message.done();
    if (i % 3 === 0) queue.tryTake().done();
  }
});

test('many messages taken, settled in any order', async (t) => {
  const queue = anonymous(t, Queue);
  const count = 300;
  await queue.putMany(Array.from({ length: count }, (_, i) => Buffer.alloc(i % 3 === 0 ? LONG : 100, i)));
  const messages = queue.tryTakeMany(count / 2).concat(await queue.takeMany(count));
  assert.equal(messages.length, count);
  assert.equal(queue.tryTakeMany(5).length, 0);
  messages.forEach((message, i) => assert.equal(message.data[50], i % 256));
  for (const message of messages.filter((_, i) => i % 2 === 1)) message.done();
  for (const message of messages.filter((_, i) => i % 2 === 0).reverse()) message.return();
  assert.equal(queue.length, count / 2);
  for (let i = 0; i < count; i += 2) {
    const message = queue.tryTake();
    assert.equal(message.data[50], i % 256);
    assert.equal(message.deliveries, 2);
    message.done();
  }
});

test('a dead letter', (t) => {
  const queue = anonymous(t, Queue, { joinable: true, maxDeliveries: 2 });
  assert.equal(queue.takeDead(), undefined);
  queue.tryPut(Buffer.from('unlucky'));
  queue.tryTake().return();
  queue.tryTake().return();
  assert.equal(queue.tryTake(), undefined);
  assert.equal(queue.info().deadLetters, 1);
  const dead = queue.takeDead();
  assert.equal(String(dead.data), 'unlucky');
  assert.equal(String(dead.value), 'unlucky');
  dead.done();
  assert.equal(queue.info().deadLetters, 0);
});

test('done is task_done on a joinable queue', async (t) => {
  const queue = anonymous(t, Queue, { joinable: true });
  queue.tryPut(Buffer.from('task'));
  const joined = queue.join();
  const message = await queue.take();
  message.done();
  await joined;
  assert.throws(() => queue.taskDone(), withCode('E_OVER_RELEASE'));
});

test('disposing gives back what is not settled', { skip: Symbol.dispose === undefined && 'no Symbol.dispose' }, (t) => {
  const queue = anonymous(t, Queue);
  queue.tryPut(Buffer.from('x'));
  queue.tryTake()[Symbol.dispose]();
  const message = queue.tryTake();
  assert.equal(message.deliveries, 2);
  message.done();
  message[Symbol.dispose]();
  const slot = queue.tryReserve(5);
  slot[Symbol.dispose]();
  slot[Symbol.dispose]();
  assert.equal(queue.isEmpty, true);
});
