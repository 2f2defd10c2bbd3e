'use strict';

const { Connection } = require('./connection.js');
const { PolyprocError, check } = require('./errors.js');
const { constants, native, status } = require('./native.js');
const { readWait, typeError } = require('./options.js');
const { Event } = require('./primitives.js');
const { Process } = require('./process.js');
const { Queue } = require('./queue.js');
const { Operation } = require('./operation.js');
const { HANDLE } = require('./symbols.js');
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

/** `isReady()`, and `wait({ signal })`, which resolves when it is or was. */
function readItem(item, i) {
  if (item instanceof Queue) {
    const isReady = () => {
      const answer = native.isReady(item[HANDLE], constants.READY_GET);
      return answer !== status.E_TIMEOUT && check(answer, 'waitAny') >= 0;
    };
    return { isReady, wait: (how) => watch(item, 'waitAny', isReady, how) };
  }
  if (item instanceof Connection) return { isReady: () => item.tryPoll(), wait: (how) => item.poll(how) };
  if (item instanceof Event) return { isReady: () => item.isSet, wait: (how) => item.wait(how) };
  if (item instanceof Process) {
    const isReady = () => !item.isAlive;
    return { isReady, wait: (how) => watch(item, 'waitAny', isReady, how) };
  }
  const queue = item?.put;
  if (!(queue instanceof Queue)) {
    throw typeError(`items[${i}]`, 'a Queue, Connection, Event, Process or { put: Queue }', item);
  }
  const isReady = () => {
    const answer = native.isReady(queue[HANDLE], constants.READY_PUT);
    return answer !== status.E_TIMEOUT && check(answer, 'waitAny') >= 0;
  };
  return { isReady, wait: (how) => waitByThread(queue, untilPut, queue, how) };
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
