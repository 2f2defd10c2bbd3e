'use strict';

// This process as a worker of a pool: functions by name, one job at a time.

const { inspect } = require('node:util');
const { pack, unpack } = require('./chunk.js');
const { check, PolyprocError } = require('./errors.js');
const { codecOf, readFormat } = require('./format.js');
const { native, numbers, status, DELIVERIES, LENGTH, LOAN, OFFSET } = require('./native.js');
const { NAMES, readOptions, typeError } = require('./options.js');
const { cut, makeRoom } = require('./slab.js');
const { textOf } = require('./task.js');
const { Operation } = require('./wait/operation.js');
const { perform } = require('./wait/perform.js');
const { makeWaitable } = require('./wait/waitable.js');

function isWorker() {
  return check(native.workerIs(), 'isWorker') === 1;
}

const next = new Operation({
  polled: true,
  late: status.E_EMPTY,
  what: 'next job',
  attempt() {
    makeRoom();
    return native.workerNext();
  },
  atOnce(owner, answer) {
    if (typeof answer === 'number') check(answer, 'next job');
    const [count, length, offset] = [numbers[LOAN], numbers[LENGTH], numbers[OFFSET]];
    const isInitialiser = numbers[DELIVERIES] === 0;
    return { name: answer, count, isInitialiser, data: offset < 0 ? dataOf(length) : cut(offset, length) };
  },
});

function dataOf(length) {
  const data = Buffer.allocUnsafeSlow(length);
  check(native.workerData(data), 'next job');
  return data;
}

/** Encodes the result of a function. */
function encode(codec, format, result) {
  return format === '' && result === undefined ? Buffer.alloc(0) : codec.encodeOwn(result);
}

async function run(functions, codec, format, { name, count, data }) {
  const work = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (typeof work !== 'function') {
    return { code: status.E_NOT_FOUND, text: Buffer.from(`the worker has no function "${name}"`) };
  }
  const one = async (item) => encode(codec, format, await work(codec.decode(item)));
  try {
    if (count === 0) return { code: status.OK, text: await one(data) };
    const results = [];
    for (const item of unpack(data)) results.push(await one(item));
    return { code: status.OK, text: pack(results) };
  } catch (error) {
    return { code: status.E_TASK_FAILED, text: failureOf(error) };
  }
}

/**
 * Returns the thrown value as text. The value can be anything, also an object whose getters throw.
 */
function failureOf(thrown) {
  try {
    if (!(thrown instanceof Error)) return textOf(messageOf(thrown));
    const { message, stack } = thrown;
    return textOf(messageOf(message), typeof stack === 'string' ? stack : undefined);
  } catch {
    return textOf('the function threw what cannot be shown');
  }
}

/** Cut at a NUL, which separates the message from the stack. */
function messageOf(thrown) {
  return (typeof thrown === 'string' ? thrown : inspect(thrown)).replaceAll('\0', '\\0');
}

/** Does jobs until the pool has no more for this process. */
async function runWorker(functions, options = {}) {
  if (typeof functions !== 'object' || functions === null) throw typeError('functions', 'an object', functions);
  const { format: asked = 'msgpack' } = readOptions(options, NAMES.format);
  const format = readFormat(asked);
  const codec = codecOf(format);
  const worker = {};
  makeWaitable(worker, native.workerObject());
  for (;;) {
    let job;
    try {
      job = await perform(worker, next);
    } catch (error) {
      if (error.status === status.E_SHUTDOWN) return;
      throw error;
    }
    const { code, text } = await run(functions, codec, format, job);
    check(native.workerReply(code, text), 'reply');
    if (job.isInitialiser && code < 0) throw new PolyprocError(code, 'initialiser');
  }
}

module.exports = { isWorker, runWorker };
