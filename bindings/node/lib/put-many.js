'use strict';

const { constants } = require('./native.js');
const { readWait } = require('./options.js');
const { operations } = require('./queue-operations.js');
const { perform } = require('./wait/perform.js');

/**
 * Puts all items, in as many calls as it takes, one time limit for all. When the wait ends early after some were put,
 * those are the result: what is in the queue cannot be undone, and a further call will say why.
 */
async function putAll(queue, items, options) {
  const { timeout, signal } = readWait(options);
  const deadline = performance.now() + timeout;
  let put = 0;
  do {
    const left = timeout > 0 ? Math.max(deadline - performance.now(), 0) : timeout;
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
