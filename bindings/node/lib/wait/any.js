'use strict';

// Waits for several objects at once. Each kind of object says how, by the symbols WAITABLE and
// ROOM.

const { PolyprocError } = require('../errors.js');
const { status } = require('../native.js');
const { readWait, typeError } = require('../options.js');
const { ROOM, WAITABLE } = require('../symbols.js');

/**
 * `isReady()`, and `wait({ timeout, signal })`, which resolves to true when the object is or was
 * ready, or to false at the end of the time.
 */
function readItem(item, i) {
  if (item?.[WAITABLE] !== undefined) return item[WAITABLE]();
  if (item?.put?.[ROOM] !== undefined) return item.put[ROOM]();
  throw typeError(`items[${i}]`, 'a Queue, Connection, Listener, Event, Process, Task or { put: Queue }', item);
}

/** Resolves to the items that are ready, at least one; it takes nothing. */
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
