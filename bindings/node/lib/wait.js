'use strict';

// Doing something that may have to wait. What can be had at once is had at once, by the caller's own thread.

const { setImmediate: nextTurn } = require('node:timers/promises');
const { PolyprocError } = require('./errors.js');
const { status } = require('./native.js');
const { readWait } = require('./options.js');
const { HANDLE, LINE, LINES } = require('./symbols.js');
const { LineWait } = require('./line.js');
const { ThreadWait } = require('./thread-wait.js');

// A loop over promises that are all fulfilled at once would never let timers and sockets have their turn.
const RUN = 64;
let run = 0;

/** True when a call that succeeded at once should let the event loop turn, by `await nextTurn()`. */
function isLongRun() {
  if (++run < RUN) return false;
  run = 0;
  return true;
}

function waitByThread(owner, operation, argument, how) {
  return new Promise((resolve, reject) => {
    new ThreadWait(owner, operation, argument, how, resolve, reject).begin();
  });
}

function waitInLine(owner, operation, argument, how) {
  const line = owner[LINE];
  const armed = line.isHeld ? 0 : line.arm();
  if (armed === status.E_UNSUPPORTED && operation.code !== undefined) {
    return waitByThread(owner, operation, argument, how);
  }
  if (armed < 0) throw new PolyprocError(armed, operation.what);
  return new Promise((resolve, reject) => {
    line.add(new LineWait(line, owner, operation, argument, how, resolve, reject));
  });
}

/** Whether others wait already: who comes later is served later. */
function isBehind(owner, operation) {
  if (operation.barges) return false;
  return operation.polled ? !owner[LINE].isEmpty : owner[LINES][operation.direction] > 0;
}

function isTriedFirst(owner, operation, how) {
  if (operation.attempt === undefined) return false;
  return how.timeout <= 0 || !(operation.isBinding || isBehind(owner, operation));
}

/**
 * Does an operation, waiting where it must:
 * what       it is called in errors
 * attempt    (handle, argument): tries it once; none: it is never done at once
 * isBinding  an attempt is final, and made only where there is no time to wait
 * barges     it is tried even if others wait
 * late       the status that says it cannot be had at once, and that the time is over
 * atOnce     (owner, answer, argument): the result of such a try, or throws
 * later      likewise of what a wait answered
 * polled     it waits by the descriptor of its owner; else
 * code       constants.WAIT_*, the wait of the native side, and
 * begin      (handle, argument, code): begins that, right after the attempt
 * direction  of its waits, which queue
 * elsewhere  the answer of an attempt that can be done only by
 * serve      (waiting, line)
 */
async function perform(owner, operation, argument, options) {
  const how = readWait(options);
  if (isTriedFirst(owner, operation, how)) {
    const answer = operation.attempt(owner[HANDLE], argument);
    if (answer === operation.elsewhere && answer !== undefined) {
      return new Promise((resolve, reject) => {
        const line = owner[LINE];
        operation.serve(new LineWait(line, owner, operation, argument, how, resolve, reject), line);
      });
    }
    if (answer !== operation.late) {
      const result = operation.atOnce(owner, answer, argument);
      if (isLongRun()) await nextTurn();
      return result;
    }
    if (how.timeout <= 0) throw new PolyprocError(operation.late, operation.what);
  }
  return operation.polled ? waitInLine(owner, operation, argument, how) : waitByThread(owner, operation, argument, how);
}

module.exports = { perform, waitByThread };
