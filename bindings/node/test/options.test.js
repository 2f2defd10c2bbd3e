'use strict';

// A misspelt option is an error that names it, in every function that has options.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const polyproc = require('..');
const { anonymous, leavesNothingBehind, poolOf } = require('./helpers.js');

const { Barrier, Condition, Connection, Event, Listener, Lock, Pool, Process, Queue, RLock, Semaphore } = polyproc;

leavesNothingBehind();

function unknown(name) {
  return (error) => {
    assert.ok(error instanceof TypeError, error.stack);
    assert.equal(error.code, 'ERR_INVALID_ARG_VALUE');
    assert.ok(error.message.includes(`"${name}"`), error.message);
    return true;
  };
}

/** `call(options)` must throw or reject for a misspelt option. */
async function refuses(call, name) {
  await assert.rejects(async () => call({ [name]: 5 }), unknown(name), String(call));
  await assert.rejects(async () => call({ [name]: undefined }), unknown(name), String(call));
}

test('unknown options of a new object', async () => {
  for (const Class of [Lock, RLock, Semaphore, Event, Condition, Queue]) {
    await refuses((options) => Class.create(options), 'openOrcreate');
  }
  await refuses((options) => Queue.create(options), 'maxsize');
  await refuses((options) => Semaphore.create(options), 'value');
  await refuses((options) => Lock.create(options), 'maxItems');
  await refuses((options) => Barrier.create(2, options), 'action');
  await refuses((options) => polyproc.pipe(options), 'dupleks');
  await refuses((options) => Connection.inherited('x', options), 'timeout');
  await refuses((options) => Connection.fromFd(0, options), 'timeout');
  await refuses((options) => Listener.create('tcp://127.0.0.1:0', options), 'authKey');
  await refuses((options) => polyproc.connect('tcp://127.0.0.1:1', options), 'backlog');
  await refuses((options) => Process.spawn({ argv: ['/bin/true'], ...options }), 'environment');
  await refuses((options) => Pool.create({ argv: ['/bin/true'], ...options }), 'timeLimit');
  await refuses((options) => polyproc.runWorker({}, options), 'workers');
});

test('unknown options of a wait', async (t) => {
  const queue = anonymous(t, Queue);
  const lock = anonymous(t, Lock);
  const rlock = anonymous(t, RLock);
  const condition = anonymous(t, Condition);
  const barrier = Barrier.create(2);
  const event = anonymous(t, Event);
  const semaphore = anonymous(t, Semaphore);
  const [one, other] = polyproc.pipe();
  const listener = Listener.create('tcp://127.0.0.1:0');
  const child = Process.spawn({ argv: ['/bin/true'] });
  t.after(() => [barrier, one, other, listener, child].forEach((object) => object.close()));
  const bytes = Buffer.from('x');
  const waits = [
    (options) => queue.get(options),
    (options) => queue.getMany(1, options),
    (options) => queue.take(options),
    (options) => queue.takeMany(1, options),
    (options) => queue.put(bytes, options),
    (options) => queue.putMany([bytes], options),
    (options) => queue.reserve(1, options),
    (options) => queue.join(options),
    (options) => queue.values(options).next(),
    (options) => queue.messages(options).next(),
    (options) => queue.shutdown(options),
    (options) => lock.acquire(options),
    (options) => lock.hold(() => {}, options),
    (options) => rlock.acquire(options),
    (options) => rlock.tryAcquire(options),
    (options) => rlock.release(options),
    (options) => rlock.hold(() => {}, options),
    (options) => condition.wait(lock, options),
    (options) => condition.wait(rlock, options),
    (options) => condition.waitFor(lock, () => true, options),
    (options) => barrier.wait(options),
    (options) => barrier.wait({ action: () => {}, ...options }),
    (options) => barrier.arrive(options),
    (options) => event.wait(options),
    (options) => semaphore.acquire(options),
    (options) => one.send(bytes, options),
    (options) => one.recv(options),
    (options) => one.poll(options),
    (options) => one.values(options).next(),
    (options) => listener.accept(options),
    (options) => listener.connections(options).next(),
    (options) => child.join(options),
    (options) => polyproc.waitAny([event], options),
  ];
  for (const wait of waits) await refuses(wait, 'timeoutMs');
  await refuses((options) => condition.wait(lock, options), 'owner');
  assert.equal(queue.isEmpty, true, 'nothing was put');
  assert.equal(lock.isLocked, false);
  assert.equal(rlock.depth, 0);
  await child.join();
});

test('unknown options of a pool', async (t) => {
  const pool = poolOf(t, { workers: 1 });
  await refuses((options) => pool.submit('square', 1, options), 'timeout');
  await refuses((options) => pool.apply('square', 1, options), 'timelimit');
  await refuses((options) => pool.map('square', [1], options), 'window');
  await refuses((options) => pool.imap('square', [1], options), 'chunksize');
  await refuses((options) => pool.imapUnordered('square', [1], options), 'workers');
  await refuses((options) => pool.join(options), 'timeoutMs');
  const task = pool.submit('square', 3);
  await refuses((options) => task.result(options), 'timeLimit');
  assert.equal(await task, 9);
  assert.equal(pool.info().submitted, 1);
});
