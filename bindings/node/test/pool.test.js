'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { Event, Pool, Queue } = require('..');
const {
  calculator,
  failed,
  leavesNothingBehind,
  named,
  poolOf,
  sleep,
  start,
  until,
  withCode,
} = require('./helpers.js');

leavesNothingBehind();

const upTo = (n) => Array.from({ length: n }, (_, i) => i);

test('apply, submit, and a task that is awaited', async (t) => {
  const pool = poolOf(t);
  assert.equal(await pool.apply('square', 7), 49);
  const task = pool.submit('slowSquare', 30);
  assert.equal(task.isOver, false);
  assert.equal(await task, 900);
  assert.equal(await task.result(), 900);
  assert.equal(task.isOver, true);
  assert.equal(task.cancel(), false);
  assert.deepEqual(await pool.apply('echo', ['a', { b: [1n << 60n] }]), ['a', { b: [1n << 60n] }]);
  assert.equal(await pool.apply('echo'), null);
  const many = upTo(3000).map((i) => pool.submit('square', i));
  assert.deepEqual(await Promise.all(many), upTo(3000).map((i) => i * i));
  const { submitted, succeeded, outstanding, workers } = pool.info();
  assert.deepEqual({ submitted, succeeded, outstanding, workers }, { submitted: 3004, succeeded: 3004, outstanding: 0, workers: 2 });
});

test('long arguments and results', async (t) => {
  const pool = poolOf(t);
  const long = Buffer.alloc(5_000_000, 3);
  assert.ok((await pool.apply('echo', long)).equals(long));
  assert.equal((await pool.apply('long', 3_000_000)).length, 3_000_000);
  assert.deepEqual((await pool.map('long', [1, 100_000, 70_000], { chunkSize: 2 })).map((bytes) => bytes.length), [1, 100_000, 70_000]);
});

for (const format of ['', 'bytes']) {
  test(`bytes where the pool has the format '${format}'`, async (t) => {
    const pool = poolOf(t, { format });
    assert.equal(pool.format, '');
    assert.equal(String(await pool.apply('echo', Buffer.from('bytes'))), 'bytes');
    assert.throws(() => pool.submit('echo', 'text'), TypeError);
    await assert.rejects(pool.apply('square', Buffer.from('5')), failed('E_TASK_FAILED'));
  });
}

test('the error of a map gave the index of a value in its chunk as its name', async (t) => {
  const pool = poolOf(t, { format: '' });
  const expected = { name: 'TypeError', message: /^a message must be a Buffer/ };
  await assert.rejects(pool.map('echo', [Buffer.from('x'), 5], { chunkSize: 2 }), expected);
});

test('an error arrives with its message and stack', async (t) => {
  const pool = poolOf(t);
  await assert.rejects(pool.apply('fails', 'on purpose'), (error) => {
    failed('E_TASK_FAILED', 'failed: on purpose')(error);
    assert.match(error.workerStack, /RangeError: failed: on purpose\n.*at fails .*calculator\.js/);
    assert.equal(error.name, 'TaskError');
    return true;
  });
  await assert.rejects(pool.apply('rejects'), failed('E_TASK_FAILED', 'a string'));
  await assert.rejects(pool.apply('nothing'), failed('E_NOT_FOUND', 'the worker has no function "nothing"'));
  await assert.rejects(pool.apply('toString'), failed('E_NOT_FOUND'));
  assert.equal(await pool.apply('square', 3), 9, 'the pool goes on');
});

test('nobody need look at a task that fails', async (t) => {
  const pool = poolOf(t);
  const task = pool.submit('fails', 'unseen');
  await until(() => task.isOver, 'it is over');
  await sleep(5);
  await assert.rejects(task, failed('E_TASK_FAILED', 'failed: unseen'));
});

test('map keeps the order, in chunks, and tells its progress', async (t) => {
  const pool = poolOf(t);
  for (const chunkSize of [undefined, 1, 7, 1000]) {
    const told = [];
    const squares = await pool.map('square', upTo(100), { chunkSize, onProgress: (done, total) => told.push([done, total]) });
    assert.deepEqual(squares, upTo(100).map((n) => n * n));
    assert.deepEqual(told.at(-1), [100, 100]);
    assert.equal(told.length, Math.ceil(100 / (chunkSize ?? 13)));
  }
  assert.deepEqual(await pool.map('square', []), []);
  assert.deepEqual(await pool.map('square', new Set([3, 4])), [9, 16]);
});

test('the first error of a map is its own, and what has not begun is not begun', async (t) => {
  const pool = poolOf(t, { workers: 1 });
  await assert.rejects(pool.map('failsFor', upTo(1000), { chunkSize: 1 }), failed('E_TASK_FAILED', 'failed for 7'));
  await until(() => pool.info().outstanding === 0, 'the rest is cancelled');
  assert.ok(pool.info().succeeded < 1000, `${pool.info().succeeded} were done`);
});

test('imap keeps the order, imapUnordered gives what is there', async (t) => {
  const pool = poolOf(t);
  const times = [60, 1, 1, 40, 1];
  const results = [];
  for await (const result of pool.imap('slowSquare', times)) results.push(result);
  assert.deepEqual(results, [3600, 1, 1, 1600, 1]);
  const told = named(t, Event);
  const unordered = [];
  for await (const result of pool.imapUnordered('waitsFor', [told.name, '', ''])) {
    unordered.push(result);
    if (unordered.length === 2) told.set();
  }
  assert.deepEqual(unordered, ['', '', told.name]);
  const chunked = [];
  for await (const result of pool.imapUnordered('square', upTo(50), { chunkSize: 8 })) chunked.push(result);
  assert.deepEqual(chunked.sort((a, b) => a - b), upTo(50).map((n) => n * n));
});

test('an imap over an endless source reads no more than its window', async (t) => {
  const pool = poolOf(t);
  let read = 0;
  let ended = false;
  async function* source() {
    try {
      for (;;) yield read++;
    } finally {
      ended = true;
    }
  }
  let seen = 0;
  for await (const result of pool.imap('square', source(), { window: 10 })) {
    assert.equal(result, seen * seen);
    assert.ok(read <= seen + 11, `${read} read when ${seen} were seen`);
    if (++seen === 50) break;
  }
  assert.equal(ended, true);
});

test('an error inside an imap comes in its turn', async (t) => {
  const pool = poolOf(t);
  const seen = [];
  await assert.rejects(async () => {
    for await (const n of pool.imap('failsFor', upTo(20))) seen.push(n);
  }, failed('E_TASK_FAILED', 'failed for 7'));
  assert.deepEqual(seen, upTo(7));
});

test('a signal cancels what has not begun', async (t) => {
  const pool = poolOf(t, { workers: 1 });
  const controller = new AbortController();
  const busy = pool.submit('slowSquare', 100);
  const waiting = upTo(50).map((i) => pool.submit('square', i, { signal: controller.signal }));
  const reason = new Error('enough');
  controller.abort(reason);
  const results = await Promise.allSettled(waiting);
  assert.ok(results.filter((result) => result.reason === reason).length >= 45, 'all but a few that were taken');
  assert.equal(await busy, 10_000);
  assert.throws(() => pool.submit('square', 1, { signal: controller.signal }), reason);
  await assert.rejects(pool.apply('slowSquare', 5000, { signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' });
  await assert.rejects(pool.map('slowSquare', [3000], { signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' });
  assert.equal(require('node:events').getEventListeners(controller.signal, 'abort').length, 0);
});

test('waiting for a task has a time of its own', async (t) => {
  const pool = poolOf(t);
  const told = named(t, Event);
  const task = pool.submit('waitsFor', told.name);
  await assert.rejects(task.result({ timeout: 0 }), withCode('E_TIMEOUT'));
  await assert.rejects(task.result({ timeout: 10 }), withCode('E_TIMEOUT'));
  await assert.rejects(pool.apply('waitsFor', told.name, { timeout: 10 }), withCode('E_TIMEOUT'));
  told.set();
  assert.equal(await task, told.name);
});

test('a task over its time limit fails, and its worker is replaced', async (t) => {
  const pool = poolOf(t, { workers: 1 });
  const before = await pool.apply('pid');
  await assert.rejects(pool.apply('spins', undefined, { timeLimit: 50 }), failed('E_TIMEOUT'));
  await assert.rejects(pool.apply('hangs', undefined, { timeLimit: 50 }), failed('E_TIMEOUT'));
  assert.notEqual(await pool.apply('pid'), before);
});

test('a worker that dies costs its task only', async (t) => {
  const pool = poolOf(t);
  const others = upTo(20).map((n) => pool.submit('slowSquare', n));
  await assert.rejects(pool.apply('dies'), failed('E_WORKER_DIED'));
  await assert.rejects(pool.apply('exits', 3), failed('E_WORKER_DIED'));
  assert.deepEqual(await Promise.all(others), upTo(20).map((n) => n * n));
  assert.equal(pool.info().diedWorkers, 2);
});

test('a task is begun again where that is allowed', async (t) => {
  const deaths = named(t, Queue);
  const pool = poolOf(t, { maxAttempts: 3 });
  await deaths.putMany([Buffer.from('1'), Buffer.from('2')]);
  assert.equal(await pool.apply('diesOnce', deaths.name), 'done at last');
  await deaths.putMany([Buffer.from('1'), Buffer.from('2'), Buffer.from('3')]);
  await assert.rejects(pool.apply('diesOnce', deaths.name), failed('E_WORKER_DIED'));
});

test('10,000 tasks with 20 workers killed meanwhile: 10,000 results', async (t) => {
  const pool = poolOf(t, { workers: 4, maxAttempts: 100 });
  const results = [];
  let killed = 0;
  for await (const [square, pid] of pool.imap('squareWhere', upTo(10_000), { window: 100 })) {
    results.push(square);
    // Kill only a worker that has worked: if all are killed while they start, the pool gives up.
    if (results.length >= (killed + 1) * 450 && killed < 20 && pool.workerPids().includes(pid)) {
      process.kill(pid, 'SIGKILL');
      killed++;
    }
  }
  assert.deepEqual(results, upTo(10_000).map((i) => i * i));
  assert.equal(killed, 20);
  t.diagnostic(`20 workers were killed, ${pool.info().retried} tasks were begun again`);
});

test('a worker does so many tasks and no more', async (t) => {
  const pool = poolOf(t, { workers: 1, maxTasksPerWorker: 2 });
  const pids = [];
  for (let i = 0; i < 6; i++) pids.push(await pool.apply('pid'));
  assert.equal(pids[0], pids[1]);
  assert.equal(new Set(pids).size, 3);
});

test('an initialiser comes before the first task', async (t) => {
  const pool = poolOf(t, { initialiser: 'greet', initialiserValue: ['good', 'morning'] });
  assert.deepEqual(await pool.apply('greeting'), ['good', 'morning']);
});

test('workers that do not start: the pool says so, and ends', async (t) => {
  for (const options of [{ initialiser: 'badStart' }, { worker: path.join(__dirname, 'nothing.js') }]) {
    const pool = Pool.create({ worker: calculator, workers: 1, ...options });
    t.after(() => pool.free());
    await assert.rejects(pool.apply('square', 1, { timeout: 60_000 }), (error) => {
      assert.equal(error.code, 'E_WORKER_DIED', error.stack);
      if (options.initialiser) assert.match(error.message, /cannot start/);
      return true;
    });
    pool.terminate();
    await pool.join();
  }
  assert.throws(() => Pool.create({ argv: ['/nothing/there'] }), withCode('E_NOT_FOUND'));
});

test('closed, a pool does what it has and then ends', async (t) => {
  const pool = poolOf(t);
  await assert.rejects(pool.join(), withCode('E_INVALID'));
  const tasks = upTo(20).map((n) => pool.submit('slowSquare', n));
  pool.close();
  assert.throws(() => pool.submit('square', 1), withCode('E_SHUTDOWN'));
  await assert.rejects(pool.map('square', [1]), withCode('E_SHUTDOWN'));
  await pool.join();
  assert.deepEqual(await Promise.all(tasks), upTo(20).map((n) => n * n));
  assert.deepEqual(pool.workerPids(), []);
});

test('terminated or freed, every task ends', async (t) => {
  for (const end of ['terminate', 'free']) {
    const pool = poolOf(t);
    const tasks = upTo(20).map(() => pool.submit('hangs'));
    const results = Promise.allSettled(tasks);
    await sleep(20);
    pool[end]();
    for (const { reason } of await results) assert.equal(reason.code, 'E_SHUTDOWN');
    if (end === 'terminate') await pool.join();
    else assert.throws(() => pool.info(), withCode('E_CLOSED'));
  }
});

test('a program with a pool and nothing to wait for ends; its workers with it, also when it is killed', async (t) => {
  for (const how of ['ends', 'killed']) {
    const { child, ended, line } = start(t, 'has-pool', [how]);
    const pids = JSON.parse(await line());
    assert.equal(pids.length, 2);
    if (how === 'killed') child.kill('SIGKILL');
    const { code } = await ended;
    assert.equal(code, how === 'killed' ? null : 0);
    await until(() => pids.every((pid) => !fs.existsSync(`/proc/${pid}`)), 'the workers are gone');
  }
});

test('what workers print is passed through', async (t) => {
  const { ended, line } = start(t, 'has-pool', ['logs']);
  assert.equal(await line(), 'printed by a worker');
  assert.deepEqual(await ended, { code: 0, signal: null });
});

test('bad arguments', async (t) => {
  assert.throws(() => Pool.create(), TypeError);
  assert.throws(() => Pool.create({}), TypeError);
  assert.throws(() => Pool.create({ worker: calculator, argv: ['x'] }), TypeError);
  assert.throws(() => Pool.create({ worker: 5 }), TypeError);
  for (const workers of [-1, 1.5, 1001]) assert.throws(() => Pool.create({ worker: calculator, workers }), RangeError);
  const pool = poolOf(t);
  assert.throws(() => pool.submit(5), TypeError);
  assert.throws(() => pool.submit(''), withCode('E_INVALID'));
  assert.throws(() => pool.submit('square', 1, { timeLimit: 0 }), RangeError);
  assert.throws(() => pool.submit('square', 1, { timeLimit: '5' }), TypeError);
  assert.throws(() => pool.submit('square', 1, null), TypeError);
  await assert.rejects(pool.map('square', 5), TypeError);
  await assert.rejects(pool.map('square', [1], { chunkSize: 0 }), RangeError);
  assert.throws(() => pool.imap('square', [1], { window: 0 }), RangeError);
  assert.equal(await pool.apply('square', 2), 4);
});
