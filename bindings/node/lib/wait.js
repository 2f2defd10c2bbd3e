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
  const watched = line.isHeld ? 0 : line.watch();
  if (watched === status.E_UNSUPPORTED && operation.code !== undefined) {
    return waitByThread(owner, operation, argument, how);
  }
  if (watched < 0) throw new PolyprocError(watched, operation.what);
  return new Promise((resolve, reject) => {
    line.add(new LineWait(line, owner, operation, argument, how, resolve, reject));
  });
}

/** Who comes later than others that wait is served later, unless there is no time for that. */
function isTriedFirst(owner, operation, how) {
  if (operation.attempt === undefined) return false;
  if (operation.barges || how.timeout <= 0) return true;
  if (operation.isBinding) return false;
  return (operation.polled ? owner[LINE].length : owner[LINES][operation.direction]) === 0;
}

/** Does an operation, waiting where it must. */
async function perform(owner, operation, argument, options) {
  const how = readWait(options, operation.options);
  if (isTriedFirst(owner, operation, how)) {
    const answer = operation.attempt(owner[HANDLE], argument);
    if (answer !== operation.late && answer !== operation.elsewhere) {
      const result = operation.atOnce(owner, answer, argument);
      if (isLongRun()) await nextTurn();
      return result;
    }
    if (answer === operation.elsewhere) return serveElsewhere(owner, operation, argument, how);
    if (how.timeout <= 0) throw new PolyprocError(operation.late, operation.what);
  }
  return operation.polled ? waitInLine(owner, operation, argument, how) : waitByThread(owner, operation, argument, how);
}

function serveElsewhere(owner, operation, argument, how) {
  const line = owner[LINE];
  return new Promise((resolve, reject) => {
    operation.serve(new LineWait(line, owner, operation, argument, how, resolve, reject), line);
  });
}

module.exports = { perform, waitByThread };
