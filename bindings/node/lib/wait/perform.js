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
// Chosen so that the turns cost such a loop less than 5 %, and timers wait less than a millisecond.
// Measured by "await put + get" of `npm run bench`: a turn after each 64 calls costs 15 %, after
// 256 5 %, after 1,024 2 %, and 1,024 calls take 0.3 ms.
const RUN = 1024;
let run = 0;

/** True if a call that succeeded at once should let the event loop turn, by `await nextTurn()`. */
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

async function perform(owner, operation, argument, options) {
  const how = readWait(options, operation.options);
  if (isTriedFirst(owner, operation, how)) {
    const answer = operation.attempt(owner[HANDLE], argument);
    if (answer === operation.elsewhere) return finishElsewhere(owner, operation, argument, how);
    if (!operation.isLate(answer)) {
      const result = operation.atOnce(owner, answer, argument);
      if (isLongRun()) await nextTurn();
      return result;
    }
    if (how.timeout <= 0) throw new PolyprocError(operation.late, operation.what);
  }
  const wait = operation.polled ? waitUntilReady : waitByThread;
  return wait(owner, operation, argument, how);
}

module.exports = { perform };
