'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const polyproc = require('..');
const { anonymous, leavesNothingBehind, named, withCode } = require('./helpers.js');

const { Condition, Event, Lock, Message, PolyprocError, Process, Queue, RLock, Semaphore, Slot, unlink } = polyproc;

leavesNothingBehind();

const badNames = ['', '.dot', 'a/b', 'sp ace', 'ä', 'nul\0inside', 'x'.repeat(201), 'x'.repeat(1000)];

for (const Class of [Lock, RLock, Semaphore, Event, Condition, Queue]) {
  test(`${Class.name}: names`, () => {
    for (const name of badNames) {
      assert.throws(() => Class.create({ name }), withCode('E_INVALID'), name);
      assert.throws(() => Class.open(name), withCode('E_INVALID'), name);
    }
    for (const name of [5, null, {}, Symbol('x')]) {
      assert.throws(() => Class.create({ name }), TypeError);
      assert.throws(() => Class.open(name), TypeError);
      assert.throws(() => Class.inherited(name), TypeError);
    }
    assert.throws(() => Class.open(), TypeError);
    assert.throws(() => Class.inherited('nothing'), withCode('E_NOT_FOUND'));
  });

  test(`${Class.name}: options`, () => {
    assert.throws(() => new Class(), TypeError);
    assert.throws(() => Class.create(null), TypeError);
    assert.throws(() => Class.create('name'), TypeError);
    assert.throws(() => Class.create({ mode: '600' }), TypeError);
    assert.throws(() => Class.create({ mode: 0o1000 }), RangeError);
    assert.throws(() => Class.create({ mode: -1 }), RangeError);
    assert.throws(() => Class.create({ openOrCreate: 1 }), TypeError);
  });

  test(`${Class.name}: descriptors`, () => {
    assert.throws(() => Class.fromFd('0'), TypeError);
    assert.throws(() => Class.fromFd(-1), RangeError);
    assert.throws(() => Class.fromFd(1.5), RangeError);
    assert.throws(() => Class.fromFd(1_000_000), withCode('E_INVALID'));
    const fd = require('node:fs').openSync('/dev/null', 'r+');
    assert.throws(() => Class.fromFd(fd), withCode('E_MISMATCH'));
    require('node:fs').closeSync(fd);
  });
}

test('queue options', () => {
  for (const key of ['maxItems', 'maxBytes', 'maxDeliveries', 'spinNs']) {
    assert.throws(() => Queue.create({ [key]: '3' }), TypeError, key);
    for (const value of [-1, 1.5, NaN, Infinity, 2 ** 53]) {
      assert.throws(() => Queue.create({ [key]: value }), RangeError, `${key} ${value}`);
    }
  }
  assert.throws(() => Queue.create({ maxDeliveries: 2 ** 32 }), RangeError);
  assert.throws(() => Queue.create({ joinable: 'yes' }), TypeError);
  assert.throws(() => Queue.create({ format: 1 }), TypeError);
  assert.throws(() => Queue.create({ format: 'x'.repeat(32) }), RangeError);
  assert.throws(() => Queue.create({ format: 'a\0b' }), withCode('E_INVALID'));
});

test('semaphore options', () => {
  for (const key of ['initial', 'maximum']) {
    assert.throws(() => Semaphore.create({ [key]: '3' }), TypeError);
    assert.throws(() => Semaphore.create({ [key]: -1 }), RangeError);
  }
  assert.throws(() => Semaphore.create({ initial: 4, maximum: 3 }), withCode('E_INVALID'));
});

test('messages that are not bytes', async (t) => {
  const queue = anonymous(t, Queue, { maxItems: 1 });
  const bad = ['text', 5, null, undefined, {}, [1, 2], true, 5n, () => {}, Symbol('x')];
  for (const value of bad) {
    assert.throws(() => queue.tryPut(value), TypeError);
    assert.throws(() => queue.tryPutMany([Buffer.alloc(1), value]), TypeError);
    await assert.rejects(queue.put(value), TypeError);
    await assert.rejects(queue.putMany([value]), TypeError);
  }
  assert.equal(queue.isEmpty, true);
  queue.tryPut(Buffer.alloc(1));
  const waiting = queue.put(Buffer.alloc(2));
  for (const value of bad) await assert.rejects(queue.put(value), TypeError);
  queue.tryGet();
  await waiting;
  for (const list of ['text', null, undefined, 5, Buffer.alloc(3)]) {
    assert.throws(() => queue.tryPutMany(list), TypeError);
    await assert.rejects(queue.putMany(list), TypeError);
  }
  const detached = new Uint8Array(8);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  assert.throws(() => queue.tryPut(detached), TypeError);
});

test('how many, how long', async (t) => {
  const queue = anonymous(t, Queue);
  for (const max of [0, -1, 1.5, NaN]) {
    assert.throws(() => queue.tryGetMany(max), RangeError);
    assert.throws(() => queue.tryTakeMany(max), RangeError);
    await assert.rejects(queue.getMany(max), RangeError);
    await assert.rejects(queue.takeMany(max), RangeError);
  }
  for (const max of ['3', undefined, null]) {
    assert.throws(() => queue.tryGetMany(max), TypeError);
    await assert.rejects(queue.takeMany(max), TypeError);
  }
  for (const length of [-1, 0.5, NaN]) {
    assert.throws(() => queue.tryReserve(length), RangeError);
    await assert.rejects(queue.reserve(length), RangeError);
  }
  assert.throws(() => queue.tryReserve(), TypeError);
  assert.throws(() => queue.tryReserve(2 ** 40), withCode('E_TOO_LARGE'));
  const slot = queue.tryReserve(10);
  for (const length of [-1, 11, 1.5]) assert.throws(() => slot.commit(length), RangeError);
  assert.throws(() => slot.commit('5'), TypeError);
  slot.abort();
  assert.throws(() => queue.shutdown(null), TypeError);
  assert.throws(() => queue.shutdown({ immediate: 1 }), TypeError);
});

test('wait options', async (t) => {
  const queue = anonymous(t, Queue);
  for (const call of [(options) => queue.get(options), (options) => queue.put(Buffer.alloc(1), options), (options) => queue.join(options)]) {
    await assert.rejects(call(5), TypeError);
    await assert.rejects(call(null), TypeError);
    await assert.rejects(call({ timeout: '5' }), TypeError);
    await assert.rejects(call({ timeout: NaN }), RangeError);
    await assert.rejects(call({ timeout: null }), TypeError);
    await assert.rejects(call({ signal: 5 }), TypeError);
    await assert.rejects(call({ signal: {} }), TypeError);
    await assert.rejects(call({ signal: null }), TypeError);
  }
  assert.equal(queue.isEmpty, true);
});

test('permits', (t) => {
  const semaphore = anonymous(t, Semaphore);
  assert.throws(() => semaphore.release(0), RangeError);
  assert.throws(() => semaphore.release(-1), RangeError);
  assert.throws(() => semaphore.release('1'), TypeError);
});

test('work under a lock', async (t) => {
  const lock = anonymous(t, Lock);
  await assert.rejects(lock.hold('work'), TypeError);
  assert.equal(lock.isLocked, false);
});

test('what only the library makes', () => {
  assert.throws(() => new Message(), TypeError);
  assert.throws(() => new Slot(), TypeError);
  assert.throws(() => new Process(), TypeError);
});

test('unlink', () => {
  for (const name of badNames) assert.throws(() => unlink(name), withCode('E_INVALID'), name);
  assert.throws(() => unlink(5), TypeError);
});

test('processes', () => {
  const argv = ['/bin/true'];
  for (const options of [
    undefined,
    null,
    {},
    { argv: 'true' },
    { argv: [1] },
    { argv, env: 5 },
    { argv, env: { A: 1 } },
    { argv, cwd: 5 },
    { argv, name: 5 },
    { argv, daemon: 'yes' },
    { argv, clearEnv: 1 },
    { argv, stdout: {} },
    { argv, handles: 5 },
    { argv, handles: { name: {} } },
  ]) {
    assert.throws(() => Process.spawn(options), TypeError, JSON.stringify(options));
  }
  for (const options of [{ argv: [] }, { argv, stdin: 'pipe' }, { argv, stdin: -3 }]) {
    assert.throws(() => Process.spawn(options), RangeError, JSON.stringify(options));
  }
  for (const options of [{ argv: ['a\0b'] }, { argv, env: { A: 'x\0y' } }, { argv, cwd: 'a\0b' }, { argv, name: 'x'.repeat(64) }]) {
    assert.throws(() => Process.spawn(options), withCode('E_INVALID'), JSON.stringify(options));
  }
  assert.throws(() => Process.spawn({ argv: ['/nowhere/at/all'] }), withCode('E_NOT_FOUND'));
  assert.throws(() => Process.spawn({ argv, cwd: '/nowhere' }), withCode('E_NOT_FOUND'));
  assert.throws(() => Process.adopt('1'), TypeError);
  assert.throws(() => Process.adopt(0), RangeError);
  assert.throws(() => Process.adopt(process.pid), withCode('E_INVALID'));
});

test('a handle that is closed cannot be given to a child', () => {
  const lock = Lock.create();
  lock.close();
  assert.throws(() => Process.spawn({ argv: ['/bin/true'], handles: { lock } }), withCode('E_CLOSED'));
});

test('an error says what is wrong, where this side knows', async (t) => {
  const says = (call, code, text) =>
    assert.rejects(async () => call(), (error) => {
      withCode(code)(error);
      assert.ok(error.message.includes(text), error.message);
      return true;
    });
  const queue = named(t, Queue, { maxItems: 3, format: 'json' });
  const { name } = queue;
  await says(() => Queue.create({ name, openOrCreate: true, format: 'json' }), 'E_MISMATCH', 'max_items of the queue is 3, asked for as 0');
  await says(() => Queue.create({ name, openOrCreate: true, maxItems: 3 }), 'E_MISMATCH', 'format of the queue is "json", asked for as ""');
  await says(() => Lock.create({ name, openOrCreate: true }), 'E_MISMATCH', 'the object is a queue, asked for as a lock');
  await says(() => Lock.open(name), 'E_MISMATCH', 'the object is a queue, asked for as a lock');
  await says(() => Queue.create({ name: 'a/b' }), 'E_INVALID', 'name is "a/b": it has 1 to 200 bytes of');
  await says(() => unlink(`polyproc.${name}`), 'E_NOT_FOUND', `whose name is "${name}" perhaps`);
  await says(() => queue.taskDone(), 'E_INVALID', 'not joinable');
  await says(() => queue.join(), 'E_INVALID', 'not joinable');
  await says(() => Semaphore.create({ initial: 4, maximum: 3 }), 'E_INVALID', 'initial 4 over maximum 3');
  await says(() => polyproc.Pool.create({ argv: ['./nothing'] }), 'E_NOT_FOUND', './nothing');
  await says(() => polyproc.Listener.create('localhost:5'), 'E_INVALID', 'which is not tcp://HOST:PORT');
  await says(() => polyproc.connect('unix:@nobody-is-there'), 'ECONNREFUSED', 'connection refused');
  assert.throws(() => queue.tryPut({ a: 1 }), /format "json"/);
});

test('an error carries what the library says of the cause', async (t) => {
  const told = (call, code, detail) =>
    assert.rejects(async () => call(), (error) => {
      withCode(code)(error);
      assert.equal(error.detail, detail);
      if (detail !== undefined) assert.ok(error.message.endsWith(`: ${detail}`), error.message);
      return true;
    });
  const queue = named(t, Queue, { maxItems: 3, format: 'json' });
  const { name } = queue;
  const other = 'max_items of the queue is 3, asked for as 0';
  await told(() => Queue.create({ name, openOrCreate: true, format: 'json' }), 'E_MISMATCH', other);
  await told(() => Lock.open(name), 'E_MISMATCH', 'the object is a queue, asked for as a lock');
  await told(() => Queue.create({ maxBytes: 8 }), 'E_INVALID', 'max_bytes is 8, less than the 16 that a message of no bytes takes');
  await told(() => Queue.create({ maxDeliveries: 70000 }), 'E_INVALID', 'max_deliveries is 70000, over 65534');
  await told(() => Semaphore.create({ initial: 4, maximum: 3 }), 'E_INVALID', 'initial is 4, over maximum, 3');
  await told(() => Queue.create({ mode: 0o400 }), 'E_INVALID', 'mode is 0o400: it has 0600, and nothing over 0666');
  await told(() => queue.taskDone(), 'E_INVALID', 'the queue is not joinable');
  // A thread of the addon makes this call, so the sentence is the thread's.
  await told(() => polyproc.connect('unix:@nobody-is-there'), 'ECONNREFUSED',
    'connect failed: Connection refused (os error 111)');
  // These statuses need no explanation.
  await told(() => queue.tryGet() ?? queue.get({ timeout: 0 }), 'E_EMPTY', undefined);
});

test('the error', () => {
  const error = new PolyprocError(polyproc.status.E_EMPTY, 'get');
  assert.equal(error.code, 'E_EMPTY');
  assert.equal(error.status, -3);
  assert.equal(error.message, 'get: the queue is empty');
  assert.equal(error.detail, undefined);
  assert.equal(String(error), 'PolyprocError: get: the queue is empty');
  assert.ok(error instanceof Error);
  assert.equal(polyproc.status.E_INTERNAL, -99);
  assert.equal(Object.keys(polyproc.status).length, 30);
  assert.match(polyproc.version, /^\d+\.\d+\.\d+$/);
});
