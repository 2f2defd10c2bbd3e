'use strict';

const assert = require('node:assert/strict');
const childProcess = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const { Pool, TaskError, activeChildren, unlink } = require('..');

const prefix = `node-test-${process.pid}-`;
let names = 0;

/** Returns a named object that is unlinked when the test is over. */
function named(t, Class, options = {}) {
  const name = `${prefix}${names++}`;
  const object = Class.create({ ...options, name });
  t.after(() => {
    object.close();
    unlink(name);
  });
  return object;
}

/** Returns an anonymous object that is closed when the test is over. */
function anonymous(t, Class, options = {}) {
  const object = Class.create(options);
  t.after(() => object.close());
  return object;
}

/** Returns another handle of the same object. */
function twin(t, object) {
  const fd = object.shareFd();
  const other = object.constructor.fromFd(fd);
  fs.closeSync(fd);
  t.after(() => other.close());
  return other;
}

/** For assert.throws and rejects: a PolyprocError with this code. */
function withCode(code) {
  return (error) => {
    assert.equal(error.code, code, `${error.stack}`);
    assert.equal(error.name, 'PolyprocError');
    assert.match(error.message, /: ./);
    return true;
  };
}

const calculator = path.join(__dirname, 'workers', 'calculator.js');

/**
 * Returns a pool of two workers with the functions of workers/calculator.js; it ends when the test
 * is over.
 */
function poolOf(t, options = {}) {
  const pool = Pool.create({ worker: calculator, workers: 2, ...options });
  t.after(async () => {
    if (pool.closed) return;
    pool.terminate();
    await pool.join();
    pool.free();
  });
  return pool;
}

/**
 * For assert.throws and rejects: a TaskError with this code, and this message where one is given.
 */
const failed = (code, message) => (error) => {
  assert.equal(error.code, code, error.stack);
  assert.ok(error instanceof TaskError);
  if (message !== undefined) assert.equal(error.message, message);
  return true;
};

/**
 * Starts test/children/<program>.js. `line()` resolves to its next line of output, `ended` when it
 * is over.
 */
function start(t, program, args = [], options = {}) {
  const file = path.join(__dirname, 'children', `${program}.js`);
  const { nodeArguments = [], ...rest } = options;
  const child = childProcess.spawn(process.execPath, [...nodeArguments, file, ...args.map(String)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    ...rest,
  });
  const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
  const lines = require('node:readline').createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, ended, line: async () => (await lines.next()).value };
}

/** Waits until `question` is true; fails after a minute. */
async function until(question, what) {
  for (const end = performance.now() + 60_000; performance.now() < end; await sleep(5)) {
    if (await question()) return;
  }
  assert.fail(`never: ${what}`);
}

function threadCount() {
  return Number(/^Threads:\s*(\d+)/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]);
}

/**
 * Call this once in a test file: it checks that nothing of the file's objects and processes
 * remains.
 */
function leavesNothingBehind() {
  after(() => {
    const left = fs.readdirSync('/dev/shm').filter((name) => name.includes(prefix));
    assert.deepEqual(left, [], 'names in /dev/shm');
    assert.deepEqual(activeChildren(), [], 'processes');
  });
}

module.exports = {
  anonymous,
  calculator,
  failed,
  leavesNothingBehind,
  named,
  poolOf,
  prefix,
  sleep,
  start,
  threadCount,
  twin,
  until,
  withCode,
};
