'use strict';

// Performs an operation and waits if it must. An operation that can complete immediately does so on
// the caller's own thread.

const { setImmediate: nextTurn } = require('node:timers/promises');
const { PolyprocError, check } = require('../errors.js');
const { status } = require('../native.js');
const { readWait } = require('../options.js');
const { HANDLE, READINESS, THREAD_WAITS } = require('../symbols.js');
const { PolledWait } = require('./polled-wait.js');
const { waitByThread } = require('./thread-wait.js');

// A loop over promises that are all fulfilled at once would never let timers and sockets run.
// Chosen so that the turns cost such a loop less than 10 %, and timers wait less than a
// millisecond. Measured by "await put + get" of `npm run bench`: a turn after each 1,024 calls
// costs 7 %, and 1,024 calls take less than 0.3 ms.
const RUN = 1024;
let run = 0;

const LATE = Symbol('late'); // it would have to wait
const ELSEWHERE = Symbol('elsewhere'); // its `finish` completes it

/** True if a call that completed at once should let the event loop turn, by `nextTurn`. */
function isLongRun() {
  if (++run < RUN) return false;
  run = 0;
  return true;
}

function waitUntilReady(owner, operation, argument, how) {
  const readiness = owner[READINESS];
  const answer = readiness.isPaused ? 0 : readiness.start();
  if (answer === status.E_UNSUPPORTED && operation.code !== undefined) {
    return waitByThread(owner, operation, argument, how);
  }
  check(answer, operation.what);
  return new Promise((resolve, reject) => {
    readiness.add(new PolledWait(readiness, owner, operation, argument, how, resolve, reject));
  });
}

function finishElsewhere(owner, operation, argument, how) {
  const readiness = owner[READINESS];
  return new Promise((resolve, reject) => {
    operation.finish(new PolledWait(readiness, owner, operation, argument, how, resolve, reject), readiness);
  });
}

/** A call that comes while others wait is served after them, unless it has no time to wait. */
function isTriedFirst(owner, operation, how) {
  if (operation.attempt === undefined) return false;
  if (operation.barges || how.timeout <= 0) return true;
  if (operation.isBinding) return false;
  return (operation.polled ? owner[READINESS].length : owner[THREAD_WAITS][operation.direction]) === 0;
}

/** Returns the result of an operation that completes at once; else LATE or ELSEWHERE. */
function tryFirst(owner, operation, argument, how) {
  if (!isTriedFirst(owner, operation, how)) return LATE;
  const answer = operation.attempt(owner[HANDLE], argument);
  if (answer === operation.elsewhere) return ELSEWHERE;
  if (!operation.isLate(answer)) return operation.atOnce(owner, answer, argument);
  if (how.timeout <= 0) throw new PolyprocError(operation.late, operation.what);
  return LATE;
}

/** Returns the promise of an operation for which `tryFirst` returned `outcome`. */
function waitAfter(outcome, owner, operation, argument, how) {
  if (outcome === ELSEWHERE) return finishElsewhere(owner, operation, argument, how);
  const wait = operation.polled ? waitUntilReady : waitByThread;
  return wait(owner, operation, argument, how);
}

/** Returns the promise of an operation that has completed at once. */
function fulfilled(result) {
  if (isLongRun()) return nextTurn(result);
  if (result instanceof Uint8Array) {
    void result.then; // so the compiler knows that a Buffer has none, and does not look for it again
    return Promise.resolve(result);
  }
  return Promise.resolve(result);
}

/** Performs an operation. It is no async function, because these make one promise more. */
function perform(owner, operation, argument, options) {
  try {
    const how = readWait(options, operation.options);
    const result = tryFirst(owner, operation, argument, how);
    if (result !== LATE && result !== ELSEWHERE) return fulfilled(result);
    return waitAfter(result, owner, operation, argument, how);
  } catch (error) {
    return Promise.reject(error);
  }
}

/**
 * As `perform`, for an iterator: resolves to `{ value, done: false }`, or to what `failed` returns
 * for the error.
 */
function performNext(owner, operation, options, failed) {
  try {
    const how = readWait(options, operation.options);
    const value = tryFirst(owner, operation, undefined, how);
    if (value !== LATE && value !== ELSEWHERE) return fulfilled(itemOf(value));
    return waitAfter(value, owner, operation, undefined, how).then(itemOf, failed);
  } catch (error) {
    return Promise.reject(error).catch(failed);
  }
}

function itemOf(value) {
  return { value, done: false };
}

module.exports = { LATE, fulfilled, perform, performNext, tryFirst };
