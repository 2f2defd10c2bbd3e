'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Queue, unlink } = require('..');
const { anonymous, leavesNothingBehind, named, prefix, twin, withCode } = require('./helpers.js');

leavesNothingBehind();

const bytes = (text) => Buffer.from(text);

test('a put is seen at once, in order', (t) => {
  const queue = anonymous(t, Queue, { maxItems: 3 });
  assert.equal(queue.isEmpty, true);
  for (const text of ['a', 'bb', 'ccc']) assert.equal(queue.tryPut(bytes(text)), true);
  assert.equal(queue.isEmpty, false);
  assert.equal(queue.isFull, true);
  assert.equal(queue.length, 3);
  assert.equal(queue.tryPut(bytes('d')), false);
  assert.deepEqual(queue.tryGet(), bytes('a'));
  assert.deepEqual(queue.tryGet(), bytes('bb'));
  assert.deepEqual(queue.tryGet(), bytes('ccc'));
  assert.equal(queue.tryGet(), undefined);
});

test('promises of put and get', async (t) => {
  const queue = anonymous(t, Queue);
  assert.equal(await queue.put(bytes('x')), undefined);
  const got = await queue.get();
  assert.ok(Buffer.isBuffer(got));
  assert.equal(got.toString(), 'x');
});

test('messages of every length, empty ones too', (t) => {
  const queue = anonymous(t, Queue);
  for (const length of [0, 1, 7, 8, 4095, 4096, 4097, 16384, 16385, 65536, 100_000, 3_000_000]) {
    const sent = Buffer.alloc(length, length % 251);
    queue.tryPut(sent);
    const got = queue.tryGet();
    assert.equal(got.length, length);
    assert.ok(got.equals(sent), `${length} bytes`);
  }
});

test('what was got stays as it was while more is got', (t) => {
  const queue = anonymous(t, Queue);
  const got = [];
  for (let i = 0; i < 5000; i++) {
    queue.tryPut(bytes(`message ${i}`));
    got.push(queue.tryGet());
  }
  got.forEach((buffer, i) => assert.equal(buffer.toString(), `message ${i}`));
});

test('every kind of view is a message', (t) => {
  const queue = anonymous(t, Queue);
  const numbers = new Uint16Array([1, 2, 3]);
  for (const view of [numbers, numbers.buffer, new DataView(numbers.buffer, 2, 2), new Float64Array(3), new Uint8Array(3)]) {
    queue.tryPut(view);
    const expected = ArrayBuffer.isView(view)
      ? Buffer.from(view.buffer, view.byteOffset, view.byteLength)
      : Buffer.from(view);
    assert.deepEqual(queue.tryGet(), expected);
  }
  const shared = new Uint8Array(new SharedArrayBuffer(4)).fill(7);
  queue.tryPut(shared);
  assert.deepEqual(queue.tryGet(), Buffer.alloc(4, 7));
});

test('many in one call', async (t) => {
  const queue = anonymous(t, Queue, { maxItems: 100 });
  const items = Array.from({ length: 150 }, (_, i) => bytes(`${i}`));
  assert.equal(queue.tryPutMany(items), 100);
  assert.equal(queue.tryPutMany(items), 0);
  assert.deepEqual(queue.tryGetMany(30), items.slice(0, 30));
  assert.deepEqual(await queue.getMany(1000), items.slice(30, 100));
  assert.deepEqual(queue.tryGetMany(5), []);
  assert.equal(await queue.putMany([]), 0);
  assert.equal(await queue.putMany(items.slice(0, 3)), 3);
  assert.equal(queue.length, 3);
});

test('a detached message anywhere in a batch: nothing of the batch is put', (t) => {
  const queue = anonymous(t, Queue);
  for (const at of [0, 31, 32, 33, 64, 1023, 1024, 1499]) {
    const items = Array.from({ length: 1500 }, () => bytes('x'));
    items[at] = new Uint8Array(8);
    structuredClone(items[at].buffer, { transfer: [items[at].buffer] });
    assert.throws(() => queue.tryPutMany(items), TypeError);
    assert.equal(queue.length, at < 1024 ? 0 : 1024); // of 1,024 messages
    while (!queue.isEmpty) queue.tryGetMany(1024);
  }
});

test('an array whose items run code as they are read', (t) => {
  const queue = anonymous(t, Queue);
  let reads = 0;
  class Watched extends Array {
    static get [Symbol.species]() {
      return Watched;
    }
    *[Symbol.iterator]() {
      reads++;
      yield* [];
    }
    slice() {
      reads++;
      return [];
    }
  }
  const items = Watched.from({ length: 100 }, (_, i) => bytes(`${i}`));
  reads = 0;
  assert.equal(queue.tryPutMany(items), 100);
  assert.equal(reads, 0);
  for (let i = 0; i < 100; i++) assert.equal(String(queue.tryGet()), `${i}`);
});

test('an array that puts into another queue and takes from it as it is read', async (t) => {
  for (const count of [3, 32, 40]) {
    const queue = anonymous(t, Queue);
    const other = anonymous(t, Queue);
    const items = Array.from({ length: count }, (_, i) => bytes(`${i}`));
    Object.defineProperty(items, 1, {
      get() {
        other.tryPutMany(Array.from({ length: 40 }, () => bytes('of the other')));
        for (const message of other.tryTakeMany(40)) message.done();
        return bytes('1');
      },
    });
    assert.equal(queue.tryPutMany(items), count);
    assert.equal(await queue.putMany(items), count);
    const got = queue.tryGetMany(1000).map(String);
    assert.deepEqual(got.slice(0, count), Array.from({ length: count }, (_, i) => `${i}`));
    assert.deepEqual(got.slice(count), got.slice(0, count));
  }
});

test('the error of a batch gave the index of a message as its name', async (t) => {
  const queue = anonymous(t, Queue);
  const expected = { name: 'TypeError', message: /^a message must be a Buffer/ };
  assert.throws(() => queue.tryPutMany([bytes('x'), 5]), expected);
  await assert.rejects(queue.putMany([bytes('x'), 5]), expected);
  assert.equal(queue.length, 0);
});

test('putMany puts at once what fits, and the rest before a later put', async (t) => {
  const queue = anonymous(t, Queue, { maxItems: 10 });
  const items = Array.from({ length: 20 }, (_, i) => bytes(`${i}`));
  const many = queue.putMany(items);
  assert.equal(queue.length, 10);
  const later = queue.put(bytes('20'));
  for (let i = 0; i <= 20; i++) assert.equal(String(await queue.get()), `${i}`);
  assert.equal(await many, 20);
  await later;
});

test('a Buffer that a get returned shares no byte with another', async (t) => {
  const queue = anonymous(t, Queue);
  const lengths = Array.from({ length: 3000 }, (_, i) => (i * 37) % 150);
  lengths.push(16_384, 16_385, 70_000, 1, 16_000, 3);
  const got = [];
  const ways = [
    () => [queue.tryGet()],
    async () => [await queue.get()],
    () => queue.tryGetMany(7),
    async () => queue.getMany(5),
    async () => [(await queue.values().next()).value],
  ];
  for (const length of lengths) queue.tryPut(Buffer.alloc(length, 1));
  for (let i = 0; got.length < lengths.length; i++) {
    const some = await ways[i % ways.length]();
    for (const buffer of some) {
      assert.ok(Buffer.isBuffer(buffer));
      assert.equal(buffer.length, lengths[got.length]);
      assert.ok(buffer.every((byte) => byte === 1)); // also after all the writes below
      buffer.fill(got.length);
      got.push(buffer);
    }
  }
  for (let i = 0; i < got.length; i++) assert.ok(got[i].every((byte) => byte === i % 256), `${i}`);
});

test('long messages in one call', async (t) => {
  const queue = anonymous(t, Queue);
  const items = Array.from({ length: 40 }, (_, i) => Buffer.alloc(i * 1000, i));
  assert.equal(await queue.putMany(items), 40);
  assert.deepEqual(queue.tryGetMany(20), items.slice(0, 20));
  assert.deepEqual(await queue.getMany(20), items.slice(20));
  assert.equal(queue.info().inFlight, 0);
});

test('a batch of more than one call holds', async (t) => {
  const queue = anonymous(t, Queue);
  const items = Array.from({ length: 5000 }, (_, i) => bytes(`${i}`));
  assert.equal(queue.tryPutMany(items), 5000);
  assert.equal(await queue.putMany(items), 5000);
  let got = [];
  while (!queue.isEmpty) got = got.concat(queue.tryGetMany(100_000));
  assert.deepEqual(got, [...items, ...items]);
});

test('shutdown: puts fail, gets drain', async (t) => {
  const queue = anonymous(t, Queue);
  queue.tryPutMany([bytes('1'), bytes('2')]);
  queue.shutdown();
  assert.throws(() => queue.tryPut(bytes('3')), withCode('E_SHUTDOWN'));
  await assert.rejects(queue.put(bytes('3')), withCode('E_SHUTDOWN'));
  assert.throws(() => queue.tryReserve(3), withCode('E_SHUTDOWN'));
  assert.throws(() => queue.tryPutMany([bytes('3')]), withCode('E_SHUTDOWN'));
  assert.equal(String(await queue.get()), '1');
  assert.equal(String(queue.tryGet()), '2');
  assert.throws(() => queue.tryGet(), withCode('E_SHUTDOWN'));
  await assert.rejects(queue.get(), withCode('E_SHUTDOWN'));
  await assert.rejects(queue.take(), withCode('E_SHUTDOWN'));
  assert.throws(() => queue.tryGetMany(1), withCode('E_SHUTDOWN'));
  assert.equal(queue.info().shutdown, true);
});

test('an immediate shutdown throws away what waits', (t) => {
  const queue = anonymous(t, Queue);
  queue.tryPut(bytes('1'));
  queue.shutdown({ immediate: true });
  assert.throws(() => queue.tryGet(), withCode('E_SHUTDOWN'));
});

test('joinable: task_done and join', async (t) => {
  const queue = anonymous(t, Queue, { joinable: true });
  assert.equal(queue.joinable, true);
  queue.tryPutMany([bytes('1'), bytes('2'), bytes('3')]);
  await assert.rejects(queue.join({ timeout: 0 }), withCode('E_TIMEOUT'));
  queue.tryGet();
  assert.equal(queue.tryGetMany(2).length, 2);
  assert.equal(queue.info().unfinished, 3);
  queue.taskDone();
  queue.taskDone();
  queue.taskDone();
  assert.throws(() => queue.taskDone(), withCode('E_OVER_RELEASE'));
  await queue.join();
  assert.equal(queue.info().unfinished, 0);
});

test('a queue that is not joinable has no tasks', async (t) => {
  const queue = anonymous(t, Queue);
  assert.throws(() => queue.taskDone(), withCode('E_INVALID'));
  await assert.rejects(queue.join(), withCode('E_INVALID'));
});

test('info', (t) => {
  const queue = anonymous(t, Queue, { maxItems: 5, maxBytes: 1 << 20, joinable: true, maxDeliveries: 3, format: 'label' });
  queue.tryPut(bytes('12345'));
  queue.tryGet();
  const info = queue.info();
  assert.equal(info.items, 0);
  assert.equal(info.inFlight, 1);
  assert.equal(info.unfinished, 1);
  assert.equal(info.puts, 1);
  assert.equal(info.gets, 1);
  assert.equal(info.maxItems, 5);
  assert.equal(info.maxBytes, 1 << 20);
  assert.equal(info.maxDeliveries, 3);
  assert.equal(info.joinable, true);
  assert.equal(info.shutdown, false);
  assert.equal(info.format, 'label');
  assert.equal(queue.format, 'label');
  queue.taskDone();
});

test('a put returns an id, and by it the queue says how the message stands', (t) => {
  const queue = anonymous(t, Queue, { joinable: true, maxItems: 2, maxDeliveries: 1 });
  const [first, second] = [queue.tryPutId(bytes('1')), queue.tryPutId(bytes('2'))];
  assert.equal(typeof first, 'bigint');
  assert.equal(queue.tryPutId(bytes('3')), undefined);
  assert.equal(queue.settled(first), 'waiting');
  const count = queue.settledCount();
  const message = queue.tryTake();
  assert.equal(message.id, first);
  assert.equal(queue.settled(first), 'leased');
  message.done();
  assert.equal(queue.settled(first), 'done');
  assert.equal(queue.settledCount(), count + 1);
  queue.tryTake().return();
  assert.equal(queue.settled(second), 'dead');
  const last = queue.tryPutId(bytes('4'));
  queue.shutdown({ immediate: true });
  assert.equal(queue.settled(last), 'discarded');
  assert.throws(() => queue.tryPutId(bytes('5')), withCode('E_SHUTDOWN'));
  assert.throws(() => queue.settled(last + 1000n), withCode('E_INVALID'));
  assert.throws(() => queue.settled(-1n), withCode('E_INVALID'));
  assert.throws(() => queue.settled(7), TypeError);
  assert.match(queue.info().identity, /^[0-9a-f]{32}$/);
});

test('named: create, open, exists, mismatch, unlink', (t) => {
  const queue = named(t, Queue, { maxItems: 4 });
  const other = Queue.open(queue.name);
  t.after(() => other.close());
  assert.equal(other.name, queue.name);
  queue.tryPut(bytes('through'));
  assert.equal(String(other.tryGet()), 'through');
  assert.throws(() => Queue.create({ name: queue.name }), withCode('E_EXISTS'));
  const again = Queue.create({ name: queue.name, maxItems: 4, openOrCreate: true });
  again.close();
  assert.throws(() => Queue.create({ name: queue.name, maxItems: 5, openOrCreate: true }), withCode('E_MISMATCH'));
  assert.throws(() => Queue.open(`${prefix}nobody`), withCode('E_NOT_FOUND'));
  assert.throws(() => unlink(`${prefix}nobody`), withCode('E_NOT_FOUND'));
});

test('a descriptor stands for the object', (t) => {
  const queue = anonymous(t, Queue);
  const other = twin(t, queue);
  queue.tryPut(bytes('by descriptor'));
  assert.equal(String(other.tryGet()), 'by descriptor');
});

test('a closed queue', async (t) => {
  const queue = Queue.create();
  assert.equal(queue.closed, false);
  queue.close();
  queue.close();
  assert.equal(queue.closed, true);
  for (const call of [
    () => queue.tryPut(bytes('x')),
    () => queue.tryGet(),
    () => queue.tryTake(),
    () => queue.tryGetMany(3),
    () => queue.tryTakeMany(3),
    () => queue.tryPutMany([bytes('x')]),
    () => queue.tryReserve(3),
    () => queue.takeDead(),
    () => queue.taskDone(),
    () => queue.shutdown(),
    () => queue.length,
    () => queue.isEmpty,
    () => queue.isFull,
    () => queue.info(),
    () => queue.shareFd(),
  ]) {
    assert.throws(call, withCode('E_CLOSED'), String(call));
  }
  for (const promise of [
    queue.put(bytes('x')),
    queue.putMany([bytes('x')]),
    queue.get(),
    queue.take(),
    queue.getMany(2),
    queue.takeMany(2),
    queue.reserve(2),
    queue.join(),
  ]) {
    await assert.rejects(promise, withCode('E_CLOSED'));
  }
});

test('too large a message', (t) => {
  const queue = anonymous(t, Queue, { maxBytes: 64 * 1024 });
  assert.throws(() => queue.tryPut(Buffer.alloc(1 << 20)), withCode('E_TOO_LARGE'));
  assert.throws(() => queue.tryReserve(1 << 20), withCode('E_TOO_LARGE'));
  assert.equal(queue.tryPut(bytes('fits')), true);
});

test("the format 'bytes' was a label of its own: no program without a format opened the queue", (t) => {
  const queue = named(t, Queue, { format: 'bytes', joinable: true });
  const again = Queue.create({ name: queue.name, openOrCreate: true, format: '', joinable: true });
  t.after(() => again.close());
  for (const one of [queue, again]) {
    assert.equal(one.format, '');
    assert.equal(one.info().format, '');
  }
  queue.tryPut(bytes('a'));
  assert.deepEqual(again.tryGet(), bytes('a'));
  const values = Queue.create({ name: `${queue.name}-values`, format: 'msgpack' });
  t.after(() => {
    values.close();
    unlink(`${queue.name}-values`);
  });
  assert.throws(() => Queue.create({ name: `${queue.name}-values`, openOrCreate: true, format: 'bytes' }), withCode('E_MISMATCH'));
});
