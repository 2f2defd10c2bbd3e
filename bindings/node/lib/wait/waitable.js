'use strict';

// The properties of an object that promises can wait for.

const { check } = require('../errors.js');
const { native, status } = require('../native.js');
const { HANDLE, READINESS, THREAD_WAITS } = require('../symbols.js');
const { descriptors } = require('./descriptors.js');
const { Readiness } = require('./readiness.js');
const { untilReady } = require('./ready-wait.js');

/** `source`: reports when the object is ready */
function makeWaitable(owner, handle, source = descriptors) {
  owner[HANDLE] = handle;
  owner[READINESS] = new Readiness(handle, source);
  owner[THREAD_WAITS] = [0, 0];
}

/** Returns whether `waitAny` would find the object ready. `kind`: constants.READY_*. */
function isReadyFor(owner, kind) {
  const answer = native.isReady(owner[HANDLE], kind);
  return answer !== status.E_TIMEOUT && check(answer, 'waitAny') >= 0;
}

/**
 * Returns the item for `waitAny` of an object whose source reports when `isReady` may have become
 * true.
 */
function polledItem(owner, isReady) {
  return { isReady, wait: (how) => untilReady(owner, 'waitAny', isReady, how) };
}

module.exports = { isReadyFor, makeWaitable, polledItem };
