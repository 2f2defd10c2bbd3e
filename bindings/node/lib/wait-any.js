'use strict';

const { Connection } = require('./connection.js');
const { PolyprocError, check } = require('./errors.js');
const { Listener } = require('./listener.js');
const { constants, native, status } = require('./native.js');
const { readWait, typeError } = require('./options.js');
const { Event } = require('./primitives.js');
const { Process } = require('./process.js');
const { Queue } = require('./queue.js');
const { Operation } = require('./operation.js');
const { HANDLE } = require('./symbols.js');
const { Task } = require('./task.js');
const { waitByThread } = require('./wait.js');
const { watch } = require('./watch.js');

// A put has no descriptor: a queue that is full for a long message has room for a short one.
const untilPut = new Operation({
  code: constants.WAIT_ANY,
  begin: (handle, queue, code) => native.wait(undefined, code, [queue[HANDLE]], [constants.READY_PUT]),
  late: status.E_TIMEOUT,
  what: 'waitAny',
  later: (owner, answer) => typeof answer !== 'number' || check(answer, 'waitAny') >= 0,
});

/** `isReady()`, and `wait({ timeout, signal })`, which resolves when it is or was, or to false when the time is over. */
function readItem(item, i) {
  if (item instanceof Queue) return watched(item, () => isReady(item, constants.READY_GET));
  if (item instanceof Listener) return watched(item, () => isReady(item, constants.READY_LISTENER));
  if (item instanceof Connection) return watched(item, () => item.tryPoll());
  if (item instanceof Process) return watched(item, () => !item.isAlive);
  if (item instanceof Event) return { isReady: () => item.isSet, wait: (how) => item.wait(how) };
  if (item instanceof Task) return { isReady: () => item.isOver, wait: (how) => untilOver(item, how) };
  const queue = item?.put;
  if (!(queue instanceof Queue)) {
    throw typeError(`items[${i}]`, 'a Queue, Connection, Listener, Event, Process, Task or { put: Queue }', item);
  }
  return { isReady: () => isReady(queue, constants.READY_PUT), wait: (how) => waitByThread(queue, untilPut, queue, how) };
}

function isReady(item, kind) {
  const answer = native.isReady(item[HANDLE], kind);
  return answer !== status.E_TIMEOUT && check(answer, 'waitAny') >= 0;
}

function watched(item, isReady) {
  return { isReady, wait: (how) => watch(item, 'waitAny', isReady, how) };
}

/** However it ends. */
async function untilOver(task, how) {
  try {
    await task.result(how);
  } catch (error) {
    if (!task.isOver) throw error;
  }
}

/** Resolves to those of the items that are ready, one at least; nothing is taken. */
async function waitAny(items, options) {
  if (!Array.isArray(items)) throw typeError('items', 'an array', items);
  if (items.length === 0) throw new RangeError('items must not be empty');
  const { timeout, signal } = readWait(options);
  const all = items.map(readItem);
  const atOnce = items.filter((item, i) => all[i].isReady());
  if (atOnce.length > 0) return atOnce;
  if (timeout <= 0) throw new PolyprocError(status.E_TIMEOUT, 'waitAny');
  return firstOf(items, all, timeout, signal);
}

async function firstOf(items, all, timeout, signal) {
  const over = new AbortController();
  const abort = () => over.abort(signal.reason);
  signal?.addEventListener('abort', abort);
  const wasReady = new Set();
  const waits = all.map(async ({ wait }, i) => {
    if ((await wait({ timeout, signal: over.signal })) === false) throw new PolyprocError(status.E_TIMEOUT, 'waitAny');
    wasReady.add(i);
  });
  try {
    await Promise.race(waits);
    return items.filter((item, i) => wasReady.has(i) || all[i].isReady());
  } finally {
    signal?.removeEventListener('abort', abort);
    over.abort();
    await Promise.allSettled(waits);
  }
}

module.exports = { waitAny };
