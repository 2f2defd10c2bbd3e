'use strict';

const { constants } = require('./native.js');
const { readWait } = require('./options.js');
const { operations } = require('./queue-operations.js');
const { LATE, fulfilled, perform, tryFirst } = require('./wait/perform.js');

/**
 * Puts all items, in as many calls as necessary, with one time limit for all. If the wait ends
 * early after some were put, their number is the result: a put cannot be undone, and the next call
 * reports the reason.
 */
function putAll(queue, items, options) {
  try {
    const how = readWait(options);
    if (items.length > constants.BATCH_MAX) return putRest(queue, items, how, 0);
    const put = tryFirst(queue, operations.putMany, items, how);
    if (put === items.length) return fulfilled(put);
    return putRest(queue, items, how, put === LATE ? 0 : put);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Puts the items behind the first `put`, and resolves to how many of all it put. */
async function putRest(queue, items, { timeout, signal }, put) {
  const deadline = timeout === Infinity ? Infinity : performance.now() + timeout;
  do {
    const left = timeout > 0 && deadline !== Infinity ? Math.max(deadline - performance.now(), 0) : timeout;
    const some = put === 0 && items.length <= constants.BATCH_MAX ? items : items.slice(put, put + constants.BATCH_MAX);
    try {
      put += await perform(queue, operations.putMany, some, { timeout: left, signal });
    } catch (error) {
      if (put === 0) throw error;
      break;
    }
  } while (put < items.length);
  return put;
}

module.exports = { putAll };
