'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { encode } = require('@msgpack/msgpack');
const { Queue } = require('..');
const { anonymous, leavesNothingBehind, twin, withCode } = require('./helpers.js');

leavesNothingBehind();

const values = [
  null,
  true,
  false,
  0,
  -0,
  1,
  -1,
  127,
  128,
  -32,
  -33,
  65_536,
  2 ** 31,
  -(2 ** 31),
  -(2 ** 31) - 1,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 40,
  -(2 ** 40),
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  2n ** 53n,
  -(2n ** 53n),
  2n ** 63n,
  2n ** 64n - 1n,
  -(2n ** 63n),
  1.5,
  -1e300,
  2 ** 60 * 1.5,
  Infinity,
  '',
  'hello',
  '小鬼',
  'x'.repeat(100_000),
  Buffer.from('World!'),
  [],
  ['hello', 88, Buffer.from('World!')],
  { a: 1, b: [{ c: null }], 小: '鬼' },
  new Date(1234567890123),
];

test('values come back as they were', async (t) => {
  const queue = anonymous(t, Queue, { format: 'msgpack' });
  for (const value of values) {
    assert.equal(queue.tryPut(value), true);
    assert.deepStrictEqual(queue.tryGet(), value);
    await queue.put(value);
    assert.deepStrictEqual(await queue.get(), value);
  }
});

test('values come back in batches, and from messages', async (t) => {
  const queue = anonymous(t, Queue, { format: 'msgpack' });
  assert.equal(await queue.putMany(values), values.length);
  assert.deepStrictEqual(await queue.getMany(100), values);
  assert.equal(queue.tryPutMany(values), values.length);
  for (const value of values) {
    const message = queue.tryTake();
    assert.deepStrictEqual(message.value, value);
    message.done();
  }
});

test('values come back after a wait', async (t) => {
  const queue = anonymous(t, Queue, { format: 'msgpack', maxItems: 1 });
  for (const value of values) {
    const waiting = queue.get();
    queue.tryPut(value);
    assert.deepStrictEqual(await waiting, value);
  }
  const puts = values.map((value) => queue.put(value));
  for (const value of values) assert.deepStrictEqual(await queue.get(), value);
  await Promise.all(puts);
});

test('nil is a message, undefined is none', async (t) => {
  const queue = anonymous(t, Queue, { format: 'msgpack' });
  assert.equal(queue.tryGet(), undefined);
  queue.tryPut(null);
  queue.tryPut(undefined);
  assert.equal(queue.tryGet(), null);
  assert.equal(await queue.get(), null);
  assert.equal(queue.tryGet(), undefined);
});

test('integers are exact whatever the other side chose: a number where it is safe, else a BigInt', (t) => {
  const queue = anonymous(t, Queue, { format: 'msgpack' });
  const raw = twin(t, queue);
  const wide = (head, value) => {
    const buffer = Buffer.alloc(9);
    buffer[0] = head;
    if (head === 0xcf) buffer.writeBigUInt64BE(value, 1);
    else buffer.writeBigInt64BE(value, 1);
    return buffer;
  };
  const put = (bytes) => {
    const slot = raw.tryReserve(bytes.length);
    slot.data.set(bytes);
    slot.commit();
    return queue.tryGet();
  };
  assert.equal(put(wide(0xd3, 5n)), 5);
  assert.equal(put(wide(0xcf, 5n)), 5);
  assert.equal(put(wide(0xd3, -5n)), -5);
  assert.equal(put(wide(0xcf, 2n ** 53n - 1n)), 2 ** 53 - 1);
  assert.equal(put(wide(0xcf, 2n ** 53n)), 2n ** 53n);
  assert.equal(put(wide(0xd3, -(2n ** 63n))), -(2n ** 63n));
  // and what this side writes is an integer on the other
  queue.tryPut(2 ** 40);
  const written = raw.tryTake();
  assert.deepEqual(written.data, wide(0xcf, 2n ** 40n));
  written.done();
  queue.tryPut(7n);
  assert.equal(queue.tryGet(), 7);
});

test('what is no value', async (t) => {
  const queue = anonymous(t, Queue, { format: 'msgpack' });
  assert.throws(() => queue.tryPut(() => {}), TypeError);
  assert.throws(() => queue.tryPut(Symbol('x')), TypeError);
  assert.throws(() => queue.tryPut(2n ** 64n), RangeError);
  assert.throws(() => queue.tryPut([-(2n ** 63n) - 1n]), RangeError);
  await assert.rejects(queue.put({ f() {} }), TypeError);
  await assert.rejects(queue.putMany([1, Symbol('x')]), TypeError);
  assert.equal(queue.isEmpty, true);
});

test('an object that would arrive empty, or with half of its contents, is refused', async (t) => {
  const queue = anonymous(t, Queue, { format: 'msgpack' });
  class Tagged extends Map {
    tag = 1;
  }
  class Private {
    #secret = 1;
    get secret() {
      return this.#secret;
    }
  }
  const refused = [
    ...[new Map([['a', 1]]), new Map(), new Set([1]), new WeakMap(), new Tagged([[1, 2]])],
    ...[new Error('lost'), Object.assign(new RangeError('x'), { code: 'E' }), new DOMException('x'), new AggregateError([])],
    ...[/x/g, Promise.resolve(), new Number(5), new String('text'), new Boolean(false), Object(Symbol('x')), Object(5n)],
    ...[new Private(), new URL('file:///'), new URLSearchParams('a=1'), new AbortController(), (function* () {})()],
    ...[new Date(NaN), new (class {})()],
  ];
  for (const value of refused) {
    const what = value.constructor.name;
    for (const message of [value, [value], { a: { b: value } }]) {
      assert.throws(() => queue.tryPut(message), TypeError, what);
      await assert.rejects(queue.put(message), TypeError, what);
      await assert.rejects(queue.putMany([1, message]), TypeError, what);
    }
  }
  assert.throws(() => queue.tryPut(new Map()), /an instance of Map/);
  assert.equal(queue.isEmpty, true);
});

test('objects with properties, and bytes of any kind, arrive', (t) => {
  const queue = anonymous(t, Queue, { format: 'msgpack' });
  class Job {
    path = '/usr';
    depth = 1;
  }
  const other = require('node:vm').runInNewContext('({ a: {}, b: [] })');
  const cases = [
    [new Job(), { path: '/usr', depth: 1 }],
    [Object.create(null), {}],
    [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    [{}, {}],
    [other, { a: {}, b: [] }],
    [new Uint8Array([1, 2]).buffer, Buffer.from([1, 2])],
    [new SharedArrayBuffer(2), Buffer.alloc(2)],
    [new DataView(new ArrayBuffer(3)), Buffer.alloc(3)],
    [new Date(5), new Date(5)],
  ];
  for (const [value, expected] of cases) {
    queue.tryPut(value);
    assert.deepStrictEqual(queue.tryGet(), expected);
  }
});

test('a message that is not MessagePack', (t) => {
  const queue = anonymous(t, Queue, { format: 'msgpack' });
  for (const bytes of [Buffer.alloc(0), Buffer.from([0xc1]), Buffer.from([0xda, 0xff]), Buffer.from([1, 2])]) {
    const slot = queue.tryReserve(bytes.length);
    slot.data.set(bytes);
    slot.commit();
    const message = queue.tryTake();
    assert.throws(() => message.value, withCode('E_MISMATCH'));
    assert.deepEqual(message.data, bytes);
    message.return();
    assert.throws(() => queue.tryGet(), withCode('E_MISMATCH'));
  }
});

test('bytes inside a value are the receiver\'s own', (t) => {
  const queue = anonymous(t, Queue, { format: 'msgpack' });
  queue.tryPut({ big: Buffer.alloc(50_000, 9) });
  const message = queue.tryTake();
  const { value } = message;
  message.done();
  assert.equal(value.big.length, 50_000);
  assert.ok(value.big.every((byte) => byte === 9));
  assert.throws(() => message.value, withCode('E_INVALID'));
});

test('the encoding is that of the package', (t) => {
  const queue = anonymous(t, Queue, { format: 'msgpack' });
  const value = ['hello', 88, Buffer.from('World!')];
  queue.tryPut(value);
  const message = queue.tryTake();
  assert.deepEqual(message.data, Buffer.from(encode(value)));
  message.done();
});
