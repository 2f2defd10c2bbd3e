'use strict';

// The examples of the book's page about Node: docs/book/reference/node.md includes them.

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');
const {
  Barrier, Condition, Event, Listener, Lock, Pool, Process, Queue, RLock, Semaphore,
  connect, pipe, unlink, waitAny,
} = require('..');
const { anonymous, leavesNothingBehind, prefix } = require('./helpers.js');

leavesNothingBehind();

test('the book: names', () => {
  const name = `${prefix}book`;
  // ANCHOR: names
  const jobs = Queue.create({ name, openOrCreate: true }); // without a name: anonymous
  const again = Queue.open(name); // in this process or in another one
  unlink(name); // open handles go on
  // ANCHOR_END: names
  jobs.tryPut(Buffer.from('still here'));
  assert.equal(again.tryGet().toString(), 'still here');
  jobs.close();
  again.close();
});

test('the book: queue', async (t) => {
  const seen = [];
  const work = (job) => seen.push(job);
  // ANCHOR: queue
  const jobs = Queue.create({ joinable: true, maxItems: 1000, format: 'msgpack' });
  await jobs.put('cat.png');
  jobs.shutdown(); // no more messages come
  for await (const job of jobs.messages()) {
    work(job.value); // killed here: another worker gets the job
    job.done();
  }
  await jobs.join();
  // ANCHOR_END: queue
  t.after(() => jobs.close());
  assert.deepEqual(seen, ['cat.png']);
});

test('the book: slot', async (t) => {
  const jobs = anonymous(t, Queue);
  // ANCHOR: slot
  const room = await jobs.reserve(100); // written in place: no copy
  room.commit(room.data.write('cat.png'));

  const job = await jobs.take({ timeout: 1000 }); // read in place
  if (job.deliveries > 3) job.return();
  else job.done();
  // ANCHOR_END: slot
  assert.equal(jobs.isEmpty, true);
});

test('the book: locks', async (t) => {
  const repair = () => assert.fail('nobody died');
  const lock = anonymous(t, Lock);
  const count = () => 1;
  // ANCHOR: lock
  const one = await lock.hold((held) => {
    if (held.ownerDied) repair(); // a process was killed while it held the lock
    return count();
  }, { timeout: 1000 });
  // ANCHOR_END: lock
  assert.equal(one, 1);
  const rlock = anonymous(t, RLock);
  // ANCHOR: rlock
  await rlock.hold(async () => {
    await rlock.hold(count); // the same task: it has the lock already
  });
  // ANCHOR_END: rlock
  assert.equal(rlock.depth, 0);
});

test('the book: semaphore', async (t) => {
  // ANCHOR: semaphore
  const licences = Semaphore.create({ initial: 4, maximum: 4, owned: true });
  await licences.acquire();
  try {
    licences.value; // 3; killed here: the permit comes back
  } finally {
    licences.release();
  }
  // ANCHOR_END: semaphore
  t.after(() => licences.close());
  assert.equal(licences.value, 4);
});

test('the book: event', async (t) => {
  // ANCHOR: event
  const ready = Event.create();
  setImmediate(() => ready.set()); // or in another process
  await ready.wait({ timeout: 10_000 });
  // ANCHOR_END: event
  t.after(() => ready.close());
  assert.equal(ready.isSet, true);
});

test('the book: condition', async (t) => {
  const lock = anonymous(t, Lock);
  const changed = anonymous(t, Condition);
  let count = 0;
  setImmediate(() => lock.hold(() => {
    count += 1;
    changed.notifyAll();
  }));
  // ANCHOR: condition
  const held = await lock.acquire();
  try {
    await changed.waitFor(lock, () => count > 0);
    // another process takes the lock, changes the count, and calls changed.notifyAll()
  } finally {
    held.release();
  }
  // ANCHOR_END: condition
  assert.equal(count, 1);
});

test('the book: barrier', async (t) => {
  // ANCHOR: barrier
  const barrier = Barrier.create(2);
  const other = barrier.wait(); // or in another process
  const index = await barrier.wait();
  // ANCHOR_END: barrier
  t.after(() => barrier.close());
  assert.equal(index + await other, 1);
});

test('the book: pipe', async () => {
  const report = (message) => assert.equal(message, 'hello');
  // ANCHOR: pipe
  const [here, there] = pipe({ format: 'msgpack' });
  await there.send('hello');
  there.close();
  for await (const message of here) report(message); // until the end of file
  here.close();
  // ANCHOR_END: pipe
});

test('the book: listener', async () => {
  // ANCHOR: listener
  const listener = Listener.create('tcp://127.0.0.1:0', { authkey: 'secret' });
  const client = connect(listener.address, { authkey: 'secret' }); // or a Client of Python
  const server = await listener.accept();
  await (await client).send(Buffer.from('hello'));
  const greeting = await server.recv();
  // ANCHOR_END: listener
  assert.equal(greeting.toString(), 'hello');
  server.close();
  (await client).close();
  listener.close();
});

test('the book: process', async (t) => {
  const jobs = anonymous(t, Queue);
  // ANCHOR: process
  const child = Process.spawn({
    argv: ['sh', '-c', 'exit 3'],
    handles: { jobs }, // Queue.inherited('jobs') in the child
  });
  const code = await child.join(); // -9: killed
  // ANCHOR_END: process
  child.close();
  assert.equal(code, 3);
});

test('the book: pool', async () => {
  const worker = path.join(__dirname, 'workers', 'calculator.js');
  // ANCHOR: pool
  const pool = Pool.create({ worker, workers: 2, maxAttempts: 3 }); // worker.js exports the functions
  const squares = await pool.map('square', [1, 2, 3]);
  pool.close();
  await pool.join();
  pool.free();
  // ANCHOR_END: pool
  assert.deepEqual(squares, [1, 4, 9]);
});

test('the book: waiting', async (t) => {
  const jobs = anonymous(t, Queue);
  const closing = anonymous(t, Event);
  closing.set();
  // ANCHOR: waiting
  const ready = await waitAny([jobs, closing], { timeout: 10_000 });
  const isOver = ready.includes(closing);
  // ANCHOR_END: waiting
  assert.equal(isOver, true);
});

test('the book: errors', () => {
  let said = '';
  const report = (text) => { said = text; };
  // ANCHOR: errors
  try {
    Queue.open('no-such-queue');
  } catch (error) {
    if (error.code !== 'E_NOT_FOUND') throw error;
    report(error.message);
  }
  // ANCHOR_END: errors
  assert.match(said, /no-such-queue/);
});
